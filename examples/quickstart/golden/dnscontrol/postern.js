// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
// Note: the site names no public address: no A and AAAA for mail.example.com, and SPF refers to mail.example.com by name; say `address` in the site block.
D_EXTEND("example.com",
  MX("@", 10, "mail.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 a:mail.example.com include:isp.example ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 1, 587, "mail.example.com.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "mail.example.com.", TTL(3600)), // where users' programs send through
  TXT("mail", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  END);
