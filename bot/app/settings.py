"""Every setting, read once from the environment and ``.env``.

Each name is the field's, upper case, behind ``KEFU_``. A wrong value is refused at start with what
it may be. docs/settings.md lists them; a test keeps the two equal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.app.process.errors import BadSetting


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="KEFU_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        validate_default=False,
    )

    host: str = Field("127.0.0.1", description="监听的地址；要让外网访问填 0.0.0.0")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8000, description="监听的端口；0 表示任选一个空闲端口"
    )
    data_dir: Path = Field(
        Path("data"), description="数据目录：数据库、密钥、图片、识别缓存都在这里，请定期备份"
    )
    database_url: str | None = Field(
        None,
        description="数据库地址；不填就用数据目录里的 SQLite；PostgreSQL 填 postgresql+psycopg://…",
    )
    kb: Path = Field(Path("kb.yaml"), description="知识库文件")
    secret_key: SecretStr | None = Field(
        None, description="加密密钥，可以有多个，用逗号隔开，最新的在前；不填就在数据目录里生成一个"
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = Field(
        0, description="前面有几层自己的反向代理；决定信任 X-Forwarded-For 里从右数第几个地址"
    )
    widget_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="允许嵌入聊天窗口的网站，用逗号隔开，例如 https://shop.example.com；不填则都允许",
    )
    channels: Path = Field(
        Path("channels.yaml"),
        description="渠道文件：Telegram、微信、QQ 等账号都在里面；没有就只有网页",
    )
    public_url: str | None = Field(
        None, description="顾客和平台从外网访问 kefu 的网址，例如 https://kefu.example.com"
    )
    requests_per_second: Annotated[float, Field(ge=1, le=100_000)] = Field(
        100.0,
        description="同一个网络平均每秒最多多少个网页请求，一时可以多一倍；再多的要等，太多的不收",
    )
    media_mb: Annotated[int, Field(ge=1, le=100)] = Field(
        20, description="顾客发来的文件最大多少 MB，更大的不收"
    )
    media_visitor_mb: Annotated[int, Field(ge=1, le=10_000)] = Field(
        50, description="一位顾客一天最多发来多少 MB 的文件，再多的不收"
    )
    media_source_mb: Annotated[int, Field(ge=1, le=100_000)] = Field(
        300, description="同一个网络、同一个群一天最多发来多少 MB 的文件，再多的不收"
    )
    media_total_mb: Annotated[int, Field(ge=10, le=1_000_000)] = Field(
        5000, description="所有文件一共最多占多少 MB，满了就不收新的；磁盘剩不到 200 MB 时也不收"
    )
    fragment_wait_s: Annotated[float, Field(ge=0, le=10)] = Field(
        0.8, description="顾客的话像是没说完时，等后半句的秒数"
    )
    turn_timeout_s: Annotated[float, Field(gt=0, le=120)] = Field(
        10.0, description="机器人多少秒答不出来就转人工（会先重试一次）"
    )
    proof_hours: Annotated[float, Field(gt=0, le=720)] = Field(
        24.0, description="顾客验证过的订单，多少小时内不用再验证"
    )
    keep_chats_days: Annotated[float, Field(ge=0, le=36_500)] = Field(
        180.0,
        description="已结束的聊天保留多少天：文字、里面的密码和图片、处理记录；0 表示一直保留",
    )
    keep_files_days: Annotated[float, Field(ge=0, le=36_500)] = Field(
        90.0, description="图片和文件保留多少天，没结束的会话里的不删；0 表示一直保留"
    )
    keep_records_days: Annotated[float, Field(ge=0, le=36_500)] = Field(
        365.0, description="谁验证过、看过、补发过哪个订单的记录保留多少天；0 表示一直保留"
    )
    keep_raw_days: Annotated[float, Field(ge=0, le=36_500)] = Field(
        7.0, description="平台发来的原始数据（加密存放）保留多少天；0 表示一直保留"
    )
    idle_close_minutes: Annotated[float, Field(gt=0)] = Field(
        30.0, description="双方都不说话多少分钟后，机器人的会话自动结束"
    )
    smtp_host: str | None = Field(
        None, description="发邮件的服务器；不填就不提供邮箱验证码和补发邮件"
    )
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = Field(465, description="发邮件服务器的端口")
    smtp_user: str | None = Field(None, description="发邮件的账号")
    smtp_password: SecretStr | None = Field(None, description="发邮件的密码或授权码")
    smtp_from: str | None = Field(None, description="发件人，例如 星辰点卡 <no-reply@example.com>")
    smtp_tls: str = Field("tls", description="邮件加密方式：tls、starttls 或 none")
    metrics_token: SecretStr | None = Field(
        None,
        description="看 /metrics 要带的令牌（Authorization: Bearer …），至少 16 位；不填就不开放",
        min_length=16,
    )
    admin_password: SecretStr | None = Field(
        None,
        min_length=8,
        max_length=200,
        description="第一次启动时给管理员 admin 用的密码；不填就随机生成并打印一次",
    )
    log_level: str = Field("info", description="日志详细程度：debug、info、warning 或 error")
    log_format: str = Field("text", description="日志格式：text 给人看，json 给程序收集")

    @field_validator("widget_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("secret_key", "smtp_password", "admin_password", "database_url", mode="before")
    @classmethod
    def _not_empty(cls, value: object) -> object:
        # taken for "not set", another key or database would be used without a word; taken at its
        # word, it would be a password that everybody knows
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and not text.strip():
            raise ValueError("is empty: write a value, or delete the line")
        return value

    @field_validator("public_url", "smtp_host", "smtp_user", "smtp_from", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("smtp_tls")
    @classmethod
    def _known_tls(cls, value: str) -> str:
        return _one_of(value, "tls", "starttls", "none")

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        return _one_of(value, "debug", "info", "warning", "error")

    @field_validator("log_format")
    @classmethod
    def _known_format(cls, value: str) -> str:
        return _one_of(value, "text", "json")

    @property
    def database(self) -> str:
        """The database's address, the embedded one where none is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'kefu.db'}"

    @property
    def has_mail(self) -> bool:
        """Return whether codes and cards can go by mail."""
        return self.smtp_host is not None and self.smtp_from is not None


def _one_of(value: str, *allowed: str) -> str:
    if value.lower() not in allowed:
        raise ValueError(f"must be one of {', '.join(allowed)}")
    return value.lower()


def read_settings(**overrides: object) -> Settings:
    """The settings of this process.

    Args:
        overrides: Values from the command line; they win over the environment.

    Raises:
        BadSetting: A value is wrong; the message names it, its value's fault and what it may be.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problem = error.errors()[0]
        name = "KEFU_" + "_".join(str(part) for part in problem["loc"][:1]).upper()
        field = Settings.model_fields.get(str(problem["loc"][0]))
        hint = f" ({field.description})" if field is not None else ""
        why = problem["msg"].removeprefix("Value error, ")
        # the value itself may be a secret: it is not repeated
        raise BadSetting(f"{name}: {why}{hint}; change it in the environment or in .env") from None
    except UnicodeDecodeError:
        raise BadSetting(".env: 不是 UTF-8 编码 (not UTF-8)，用编辑器另存为 UTF-8") from None
    except OSError as error:
        raise BadSetting(
            f".env: 读不了（{error.strerror}），检查它是不是文件、有没有权限"
        ) from None
