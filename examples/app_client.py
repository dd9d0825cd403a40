"""Talk to kefu as your app would: `python app_client.py http://127.0.0.1:8000 main SECRET 在吗`.

Your server also needs a webhook for the replies; this prints whether kefu took the message.
"""

import hashlib
import hmac
import json
import sys
import time
import urllib.request

kefu, account, secret, text = sys.argv[1:5]
message = {
    "id": f"demo-{time.time_ns()}",  # your own id of it: sent again, it counts once
    "type": "message",
    "user": {"id": "u42", "name": "小明"},  # add "contacts": only ones that you have verified
    "text": text,
}
body = json.dumps(message).encode()
now = str(int(time.time()))
mac = hmac.new(secret.encode(), now.encode() + b"." + body, hashlib.sha256)
headers = {"X-Kefu-Timestamp": now, "X-Kefu-Signature": f"v1={mac.hexdigest()}"}
url = f"{kefu}/hooks/app/{account}"
request = urllib.request.Request(url, body, headers)  # noqa: S310 - the address is yours
with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
    print(answer.status, answer.read().decode())  # noqa: T201 - 202 {"accepted": true, …}
