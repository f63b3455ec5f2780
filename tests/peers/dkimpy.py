"""Verifies and signs with dkimpy. One JSON object a line comes in, one goes out; octets are Base64.

{"verify": MESSAGE, "keys": {NAME: TEXT}}                          -> {"passed": [true, false, ...]}, one for each signature
{"sign": MESSAGE, "key": PEM, "algorithm": A, "canonical": [H, B]} -> {"message": MESSAGE}
{"chain": MESSAGE, "keys": {NAME: TEXT}}                           -> {"status": "pass"}: the whole ARC chain
{"seal": MESSAGE, "key": PEM, "keys": {NAME: TEXT}}                -> {"message": MESSAGE}
"""

import base64
import json
import sys

import dkim


def verify(job):
    message = base64.b64decode(job["verify"])
    keys = {name.encode(): text.encode() for name, text in job["keys"].items()}
    count = sum(1 for name, _ in dkim.DKIM(message).headers if name.lower() == b"dkim-signature")
    passed = []
    for index in range(count):
        look = lambda name, timeout=5: keys.get(name.rstrip(b"."))
        try:
            passed.append(bool(dkim.DKIM(message).verify(idx=index, dnsfunc=look)))
        except dkim.DKIMException as error:
            passed.append(str(error))
    return {"passed": passed}


def sign(job):
    message = base64.b64decode(job["sign"])
    field = dkim.sign(
        message,
        job["selector"].encode(),
        job["domain"].encode(),
        job["key"].encode(),
        canonicalize=tuple(form.encode() for form in job["canonical"]),
        signature_algorithm=job["algorithm"].encode(),
    )
    return {"message": base64.b64encode(field + message).decode()}


def chain(job):
    keys = {name.encode(): text.encode() for name, text in job["keys"].items()}
    look = lambda name, timeout=5: keys.get(name.rstrip(b"."))
    status, _, reason = dkim.arc_verify(base64.b64decode(job["chain"]), dnsfunc=look)
    return {"status": (status or b"none").decode(), "reason": reason}


def seal(job):
    message = base64.b64decode(job["seal"])
    keys = {name.encode(): text.encode() for name, text in job["keys"].items()}
    fields = dkim.ARC(message).sign(
        job["selector"].encode(),
        job["domain"].encode(),
        job["key"].encode(),
        b"example.com",
        include_headers=[b"from", b"to", b"subject"],
    )
    return {"message": base64.b64encode(b"".join(fields) + message).decode()}


JOBS = {"verify": verify, "sign": sign, "chain": chain, "seal": seal}

for line in sys.stdin:
    job = json.loads(line)
    work = next(work for name, work in JOBS.items() if name in job)
    print(json.dumps(work(job)), flush=True)
