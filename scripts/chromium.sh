#!/bin/sh
# A Chromium for the browser tests: found, or installed where that can be done without asking.
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends chromium fonts-noto-cjk; } >/dev/null 2>&1 && exit 0
fi
.venv/bin/playwright install chromium >/dev/null 2>&1 && exit 0
echo "No Chromium could be found or installed: the browser tests will be skipped." >&2
exit 1
