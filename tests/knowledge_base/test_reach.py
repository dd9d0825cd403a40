"""kb.yaml reaches into its own folder only, and repeats nothing of files that are none of its."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.source.document import read_document
from knowledge_base.source.source import read_source

SECRET = "hunter2:$6$saltsalt$hash"
SHOP = "shop: {name: 星辰}\n"
INTENT = "intents:\n  hello:\n    title: 打招呼\n    ask: [你好]\n    answer: 您好\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a kb.yaml, beside a file that is nobody's business."""
    (tmp_path / "shadow").write_text(f"root:{SECRET}\nroot: [\n", encoding="utf-8")
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder


def told_of(home: Path, text: str) -> str:
    """The words for a kb.yaml that cannot be used."""
    (home / "kb.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeBaseError) as caught:
        read_source(home / "kb.yaml", {})
    return str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "../shadow",
        "./../shadow",
        "more/../../shadow",
        "../*",
        "../**/shadow",
        "link.yaml",
        "*.yaml",
        "linked/shadow",
        "linked/*",
        "loop/*.yaml",
        "~/shadow",
        "/etc/shadow",
        "..\\shadow",
    ],
)
def test_an_include_outside_the_folder_is_refused_and_not_read(home: Path, pattern: str) -> None:
    (home / "more").mkdir()
    (home / "link.yaml").symlink_to(home.parent / "shadow")
    (home / "linked").symlink_to(home.parent)
    (home / "loop").symlink_to(home / "loop")
    told = told_of(home, f"{SHOP}include:\n  - {pattern}\n{INTENT}")
    assert "kb.yaml:3: " in told
    assert "hunter2" not in told


def test_an_include_that_a_link_inside_the_folder_names_is_read(home: Path) -> None:
    (home / "real").mkdir()
    (home / "real" / "more.yaml").write_text(INTENT, encoding="utf-8")
    (home / "more.yaml").symlink_to("real/more.yaml")
    (home / "kb.yaml").write_text(f"{SHOP}include: more.yaml\n", encoding="utf-8")
    assert list(read_source(home / "kb.yaml", {}).intents) == ["hello"]


def test_a_kb_yaml_that_is_a_link_itself_includes_what_lies_beside_the_file(
    home: Path, tmp_path: Path
) -> None:
    (home / "more.yaml").write_text(INTENT, encoding="utf-8")
    (home / "kb.yaml").write_text(f"{SHOP}include: more.yaml\n", encoding="utf-8")
    linked = tmp_path / "current"
    linked.symlink_to(home)
    assert list(read_source(linked / "kb.yaml", {}).intents) == ["hello"]


@pytest.mark.parametrize("image", ["../shadow", "link.png", "linked/shadow", "/etc/passwd"])
def test_a_picture_outside_the_folder_is_refused(home: Path, image: str) -> None:
    (home / "link.png").symlink_to(home.parent / "shadow")
    (home / "linked").symlink_to(home.parent)
    told = told_of(home, f"{SHOP}{INTENT}    images: [{image}]\n")
    assert "kb.yaml:7: " in told
    assert image in told


def test_a_picture_beside_an_included_file_may_lie_anywhere_in_the_folder(home: Path) -> None:
    (home / "kb").mkdir()
    (home / "pictures").mkdir()
    (home / "pictures" / "a.png").touch()
    (home / "kb" / "more.yaml").write_text(
        f"{INTENT}    images: [../pictures/a.png]\n", encoding="utf-8"
    )
    (home / "kb.yaml").write_text(f"{SHOP}include: kb/*.yaml\n", encoding="utf-8")
    (intent,) = read_source(home / "kb.yaml", {}).intents.values()
    assert intent.images[0].is_file()


# ---------------------------------------------------------------------- nothing is repeated


@pytest.mark.parametrize(
    "content",
    [
        f"root:{SECRET}\nroot: [\n",
        f"{SECRET}: [\n",
        f"\t{SECRET}\n",
        f"%{SECRET}\n---\n",
        f"KEY={SECRET}\n: : [\n",
        f"a: &{SECRET}\n",
        f"a: *{SECRET.replace(':', '').replace('$', '')}\n",
        f"a: !{SECRET}\n",
        f"'{SECRET}\n",
        f"a: 1\n\x01{SECRET}\n",
    ],
)
def test_a_main_file_that_is_no_knowledge_base_is_named_and_not_repeated(
    home: Path, content: str
) -> None:
    told = told_of(home, content)
    assert told.startswith(f"{home / 'kb.yaml'}:")
    for part in ("hunter2", "saltsalt"):
        assert part not in told


def test_a_file_of_another_kind_repeats_none_of_its_keys(home: Path) -> None:
    told = told_of(home, "SMTP_PASSWORD: hunter2\nDATABASE: postgresql://a:hunter3@x/y\n")
    assert "hunter2" not in told
    assert "hunter3" not in told


def test_a_mistake_in_a_file_of_ours_still_shows_the_line(home: Path) -> None:
    told = told_of(home, f"{SHOP}{INTENT}    title：再见\n")
    assert "kb.yaml:7: " in told
    assert "title：再见" in told


def test_an_ssh_key_or_an_archive_is_refused_in_a_line(home: Path) -> None:
    key = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----\n"
    assert SECRET not in told_of(home, key)
    with zipfile.ZipFile(home / "kb.yaml", "w") as archive:
        archive.writestr("x", "y")
    with pytest.raises(KnowledgeBaseError) as caught:
        read_document(home / "kb.yaml")
    assert len(str(caught.value).split("\n")) == 1


# ---------------------------------------------------------------------- odd files


def test_a_folder_a_pipe_and_a_device_are_refused_and_not_waited_for(home: Path) -> None:
    os.mkfifo(home / "pipe.yaml")
    (home / "folder.yaml").mkdir()
    (home / "kb.yaml").write_text(f"{SHOP}include: [pipe.yaml, folder.yaml]\n{INTENT}")
    with pytest.raises(KnowledgeBaseError) as caught:
        read_source(home / "kb.yaml", {})
    assert "pipe.yaml" in str(caught.value)
    assert "folder.yaml" in str(caught.value)
    for odd in (home / "pipe.yaml", home / "folder.yaml", Path("/dev/zero")):
        with pytest.raises(KnowledgeBaseError) as caught:
            read_document(odd)
        assert str(caught.value).startswith(f"{odd}:1: ")
