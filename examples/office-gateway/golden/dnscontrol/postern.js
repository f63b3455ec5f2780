// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
// Note: the site names no public address: no A and AAAA for smtp.inside.example.com, and SPF refers to smtp.inside.example.com by name; say `address` in the site block.
D_EXTEND("inside.example.com",
  TXT("smtp", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  END);
