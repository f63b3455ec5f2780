"""Logs in at a submission listener by each mechanism that is named, with the clients of Python, and says what came of it.

usage: sasl_login.py PORT USER PASSWORD MECHANISM...
"""

import base64
import hashlib
import hmac
import re
import smtplib
import ssl
import sys


def digest_md5(user, password, host):
    """RFC 2831 2.1.2; the second call answers `rspauth`."""

    def respond(challenge=None):
        if challenge is None:
            return None
        text = challenge.decode()
        if text.startswith("rspauth="):
            return ""
        fields = dict(re.findall(r'(\w[\w-]*)="?([^",]*)"?', text))
        realm, nonce, cnonce, uri = fields.get("realm", ""), fields["nonce"], "b3duIGNoYW5jZQ", f"smtp/{host}"
        md5 = lambda octets: hashlib.md5(octets)
        secret = md5(f"{user}:{realm}:{password}".encode()).digest()
        first = md5(secret + f":{nonce}:{cnonce}".encode()).hexdigest()
        second = md5(f"AUTHENTICATE:{uri}".encode()).hexdigest()
        response = md5(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}".encode()).hexdigest()
        return (
            f'charset=utf-8,username="{user}",realm="{realm}",nonce="{nonce}",nc=00000001,cnonce="{cnonce}",'
            f'digest-uri="{uri}",response={response},qop=auth'
        )

    return respond


def scram_sha_256(user, password):
    """RFC 7677 with nothing bound."""
    state = {}

    def respond(challenge=None):
        if not challenge:
            state["first"] = f"n={user},r=b3duIGNoYW5jZQ"
            return "n,," + state["first"]
        text = challenge.decode()
        if text.startswith("v="):
            return ""
        fields = dict(item.split("=", 1) for item in text.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        mac = lambda key, data: hmac.digest(key, data, "sha256")
        key = mac(salted, b"Client Key")
        last = f"c=biws,r={fields['r']}"
        signature = mac(hashlib.sha256(key).digest(), f"{state['first']},{text},{last}".encode())
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        return f"{last},p={proof}"

    return respond


def main():
    port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    for mechanism in sys.argv[4:]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test") as client:
            client.starttls(context=context)
            client.ehlo()
            offered = client.esmtp_features.get("auth", "").split()
            client.user, client.password = user, password
            own = {
                "PLAIN": client.auth_plain,
                "LOGIN": client.auth_login,
                "CRAM-MD5": client.auth_cram_md5,
                "DIGEST-MD5": digest_md5(user, password, "mail.example.com"),
                "SCRAM-SHA-256": scram_sha_256(user, password),
            }[mechanism]
            if mechanism not in offered:
                print(mechanism, "not offered")
                continue
            try:
                starts = mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256")
                code, _ = client.auth(mechanism, own, initial_response_ok=starts)
            except smtplib.SMTPAuthenticationError as error:
                code = error.smtp_code
            print(mechanism, code)


main()
