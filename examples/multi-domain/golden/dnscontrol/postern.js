// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
D_EXTEND("bakery.example",
  MX("@", 10, "mx1.hosting.example.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.25 ip6:2001:db8:25::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 1, 587, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  MX("shop", 10, "mx1.hosting.example.", TTL(3600)), // where mail to the domain goes
  TXT("shop", "v=spf1 ip4:203.0.113.25 ip6:2001:db8:25::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc.shop", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp.shop", 0, 1, 587, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp.shop", 0, 1, 465, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  END);
D_EXTEND("hosting.example",
  MX("@", 10, "mx1.hosting.example.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.25 ip6:2001:db8:25::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 1, 587, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  A("mx1", "203.0.113.25", TTL(3600)), // the host's address
  AAAA("mx1", "2001:db8:25::25", TTL(3600)), // the host's address
  TXT("mx1", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  END);
D_EXTEND("rei.example",
  MX("@", 10, "mx1.hosting.example.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.25 ip6:2001:db8:25::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 1, 587, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  END);
D_EXTEND("xn--r8jz45g.example",
  MX("@", 10, "mx1.hosting.example.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.25 ip6:2001:db8:25::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 1, 587, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "mx1.hosting.example.", TTL(3600)), // where users' programs send through
  END);
