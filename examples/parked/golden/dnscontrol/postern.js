// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
D_EXTEND("exampel.com",
  MX("@", 0, ".", TTL(3600)), // null MX: takes no mail
  TXT("@", "v=spf1 -all", TTL(3600)), // SPF: nobody sends in the domain's name
  TXT("_dmarc", "v=DMARC1; p=reject; np=reject", TTL(3600)), // DMARC: refuse what claims to come from it
  TXT("*._domainkey", "v=DKIM1; p=", TTL(3600)), // DKIM: no key signs for it
  END);
// Note: the site names no public address: no A and AAAA for mail.example.com, and SPF refers to mail.example.com by name; say `address` in the site block.
D_EXTEND("example.com",
  MX("@", 10, "mail.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 a:mail.example.com ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_submissions._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  TXT("mail", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  END);
D_EXTEND("example.net",
  MX("@", 0, ".", TTL(3600)), // null MX: takes no mail
  TXT("@", "v=spf1 -all", TTL(3600)), // SPF: nobody sends in the domain's name
  TXT("_dmarc", "v=DMARC1; p=reject; np=reject", TTL(3600)), // DMARC: refuse what claims to come from it
  TXT("*._domainkey", "v=DKIM1; p=", TTL(3600)), // DKIM: no key signs for it
  END);
D_EXTEND("example.org",
  MX("@", 0, ".", TTL(3600)), // null MX: takes no mail
  TXT("@", "v=spf1 -all", TTL(3600)), // SPF: nobody sends in the domain's name
  TXT("_dmarc", "v=DMARC1; p=reject; np=reject", TTL(3600)), // DMARC: refuse what claims to come from it
  TXT("*._domainkey", "v=DKIM1; p=", TTL(3600)), // DKIM: no key signs for it
  END);
