// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
D_EXTEND("example.com",
  MX("@", 10, "mail.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=quarantine; rua=mailto:security@example.com", TTL(3600)), // DMARC: what receivers do with mail that fails
  TXT("2026e._domainkey", "v=DKIM1; k=ed25519; p=58S9NgEwj6ieq064qYUlURZIR3MImmp9toyjTdlyg6I=", TTL(3600)), // DKIM: the key that signs
  TXT("2026r._domainkey", "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuTAppD4s2/GiXTfK1opNeyYoqD+ivhCnQQ+HoYz++JcYcxgqMENvWAWAt3rRjK+EqxAr2FusxTA6vmBvvvLUoXrg8hDj3F6uFF2Z2nnoTHza2x36lgkHP9fGxc4uk1/0+vbk2ePIVXw9BpYonB3GvB5uGxeR3WUgzzjQ0hIB348mH2NfJPnv+BAavM2I5vI5boYP8Q22KT2+qZhv80p/bpqfXsFttYpRL+kAgc4dV/MilYdIYXiBJXwT3XyZKbxP5VcNJzdN7ai2Hr6aLjia3EGZJfoz2pEqQ2BL+ZQixk/6rJnwCb906E8mgF8EqghqdQ8bEtyFyVOrdur/pQClJwIDAQAB", TTL(3600)), // DKIM: the key that signs
  TXT("_mta-sts", "v=STSv1; id=82139a56298cc20fdbdd;", TTL(3600)), // MTA-STS: the policy has this version
  SRV("_imap._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_imaps._tcp", 0, 1, 993, "mail.example.com.", TTL(3600)), // where users' programs read mail
  SRV("_pop3._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_pop3s._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_submission._tcp", 0, 1, 587, "mail.example.com.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "mail.example.com.", TTL(3600)), // where users' programs send through
  TXT("_smtp._tls", "v=TLSRPTv1; rua=mailto:security@example.com", TTL(3600)), // TLS-RPT: where failures of TLS are reported
  CNAME("autoconfig", "mail.example.com.", TTL(3600)), // settings for mail programs
  A("mail", "203.0.113.25", TTL(3600)), // the host's address
  AAAA("mail", "2001:db8::25", TTL(3600)), // the host's address
  TXT("mail", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  TXT("_smtp._tls.mail", "v=TLSRPTv1; rua=mailto:security@example.com", TTL(3600)), // TLS-RPT: where failures with the host are reported
  CNAME("mta-sts", "mail.example.com.", TTL(3600)), // MTA-STS: where the policy file is
  END);
