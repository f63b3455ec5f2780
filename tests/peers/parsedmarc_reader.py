"""Reads a message with an aggregate report, one with a report on TLS and one with a failure report as parsedmarc does, and prints what it found as JSON."""

import json
import sys

import parsedmarc


def read(path):
    with open(path, "rb") as file:
        return parsedmarc.parse_report_email(file.read(), offline=True, always_use_local_files=True)["report"]


dmarc, tls, failure = (read(path) for path in sys.argv[1:4])
published = dmarc["policy_published"]
policy = tls["policies"][0]
json.dump(
    {
        "dmarc": {
            "domain": published["domain"],
            "policy": published["p"],
            "records": [
                [record["source"]["ip_address"], record["count"], record["policy_evaluated"]["disposition"]]
                for record in dmarc["records"]
            ],
        },
        "tls": {
            "domain": policy["policy_domain"],
            "counts": [policy["successful_session_count"], policy["failed_session_count"]],
            "failures": [detail["result_type"] for detail in policy.get("failure_details", [])],
        },
        "failure": {
            "domain": failure["reported_domain"],
            "type": failure["feedback_type"],
            "source": failure["source"]["ip_address"],
            "failure": failure["auth_failure"],
            "delivery": failure["delivery_result"],
            "from": failure["original_mail_from"],
            "subject": failure["parsed_sample"]["subject"],
        },
    },
    sys.stdout,
)
