// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
D_EXTEND("example.com",
  MX("@", 10, "mx.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.25 include:spf.provider.example ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_submissions._tcp", 0, 1, 465, "mx.example.com.", TTL(3600)), // where users' programs send through
  MX("eng", 10, "mx.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("eng", "v=spf1 ip4:203.0.113.25 include:spf.provider.example ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc.eng", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp.eng", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_submissions._tcp.eng", 0, 1, 465, "mx.example.com.", TTL(3600)), // where users' programs send through
  A("mx", "203.0.113.25", TTL(3600)), // the host's address
  TXT("mx", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  END);
