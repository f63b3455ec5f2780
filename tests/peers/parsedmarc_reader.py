"""Reads a message with an aggregate report and one with a report on TLS as parsedmarc does, and prints what it found as JSON."""

import json
import sys

import parsedmarc


def read(path):
    with open(path, "rb") as file:
        return parsedmarc.parse_report_email(file.read(), offline=True, always_use_local_files=True)["report"]


dmarc, tls = read(sys.argv[1]), read(sys.argv[2])
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
            "failures": [failure["result_type"] for failure in policy.get("failure_details", [])],
        },
    },
    sys.stdout,
)
