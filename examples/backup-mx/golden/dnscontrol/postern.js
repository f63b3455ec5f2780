// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
// Note: mail from example.com leaves through the relay first (mx1.example.com), and the site does not say which addresses that one sends from: no SPF record is given for example.com, since it would be wrong; say `spf-include` in the relay.
D_EXTEND("example.com",
  MX("@", 10, "mx2.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_submissions._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  A("mx2", "198.51.100.25", TTL(3600)), // the host's address
  AAAA("mx2", "2001:db8:2::25", TTL(3600)), // the host's address
  TXT("mx2", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  END);
