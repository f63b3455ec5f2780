// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
// Note: the other MX of example.com, and all its other records, are for the site that has its mailboxes to say.
D_EXTEND("example.com",
  MX("@", 20, "mx2.example.com.", TTL(3600)), // where mail to the domain goes
  A("mx2", "198.51.100.25", TTL(3600)), // the host's address
  AAAA("mx2", "2001:db8:2::25", TTL(3600)), // the host's address
  TXT("mx2", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  END);
