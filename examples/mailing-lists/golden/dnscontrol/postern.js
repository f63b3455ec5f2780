// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
D_EXTEND("club.example",
  MX("@", 10, "lists.club.example.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.40 ip6:2001:db8:40::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp", 0, 1, 587, "lists.club.example.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "lists.club.example.", TTL(3600)), // where users' programs send through
  A("lists", "203.0.113.40", TTL(3600)), // the host's address
  AAAA("lists", "2001:db8:40::25", TTL(3600)), // the host's address
  MX("lists", 10, "lists.club.example.", TTL(3600)), // where mail to the domain goes
  TXT("lists", "v=spf1 ip4:203.0.113.40 ip6:2001:db8:40::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc.lists", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp.lists", 0, 1, 587, "lists.club.example.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp.lists", 0, 1, 465, "lists.club.example.", TTL(3600)), // where users' programs send through
  END);
