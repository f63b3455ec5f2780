// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
// Note: no listener of kind mx can be reached from elsewhere, so no MX leads to it.
// Note: the site names no public address: no A and AAAA for app1.example.com, and SPF refers to app1.example.com by name; say `address` in the site block.
D_EXTEND("app1.example.com",
  TXT("@", "v=spf1 a:app1.example.com include:amazonses.com ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_submissions._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  END);
