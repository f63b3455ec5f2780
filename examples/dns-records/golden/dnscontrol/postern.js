// Records for mail. In dnsconfig.js, declare each domain first, then load this file:
//   D("example.com", REG, DnsProvider(DNS), NO_PURGE);
//   require("./postern.js");
D_EXTEND("example.com",
  CAA("@", "iodef", "mailto:reports@example.com", TTL(3600)), // CAA: who may issue certificates
  CAA("@", "issue", "letsencrypt.org; accounturi=https://acme.example/acct/1; validationmethods=dns-persist-01", TTL(3600)), // CAA: who may issue certificates
  CAA("@", "issuemail", "mail-ca.example", TTL(3600)), // CAA: who may issue certificates
  CAA("@", "issuevmc", "mark-ca.example", TTL(3600)), // CAA: who may issue certificates
  CAA("@", "issuewild", ";", TTL(3600)), // CAA: who may issue certificates
  MX("@", 10, "mail.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 ip4:198.51.100.0/28 include:_spf.partner.example ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none; sp=none; np=reject; rua=mailto:reports@example.org", TTL(3600)), // DMARC: what receivers do with mail that fails
  TXT("2025r._domainkey", "v=DKIM1; p=", TTL(3600)), // DKIM: a key that is not to be believed
  TXT("2026e._domainkey", "v=DKIM1; k=ed25519; p=4fzcidEE8FnZXij7KMFtj4xEpL+AJMVxZO7mrxbaROc=", TTL(3600)), // DKIM: the key that signs
  TXT("2026r._domainkey", "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnX3xiQIo2cIX1f1Y3huacttOWScZkgeDmdAYS7BFk1JFtavxjQg0ExJW7X7VutOQ6SjoNUTOppC66eFh4690VuMRtKzmT0IRICVZygiYHoh964miZnYKF14DaNz6h884EhG3dOC162EanVHxt1GG8DerfvlI3VGOH+L934J8P7WT0c/HkW2uCWt2CybuioJnt3WVZ8wRfBJHYm+O8N2P/oFgr4WwUan0iB1X9QbC6kUmh9HievCMlxFUZfy3BsGFnydUvimYV9+2IGWwCvJAFGBssGIiKPskqENO5YG9QTdojnUc9aQtZV6FkDEnJQVFi6LDUxaiXps51AvN5YuLEwIDAQAB", TTL(3600)), // DKIM: the key that signs
  TXT("_mta-sts", "v=STSv1; id=82139a56298cc20fdbdd;", TTL(3600)), // MTA-STS: the policy has this version
  SRV("_autodiscover._tcp", 0, 1, 443, "www.example.com.", TTL(3600)), // settings for Outlook
  SRV("_caldavs._tcp", 0, 1, 443, "dav.example.com.", TTL(3600)), // where calendars are
  SRV("_carddavs._tcp", 0, 1, 443, "dav.example.com.", TTL(3600)), // where address books are
  SRV("_imap._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_imaps._tcp", 0, 1, 993, "imap.example.com.", TTL(3600)), // where users' programs read mail
  SRV("_jmap._tcp", 0, 1, 443, "imap.example.com.", TTL(3600)), // where users' programs read mail by JMAP
  SRV("_pop3._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_pop3s._tcp", 0, 0, 0, ".", TTL(3600)), // not offered
  SRV("_submission._tcp", 0, 1, 587, "mail.example.com.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "mail.example.com.", TTL(3600)), // where users' programs send through
  TXT("_smtp._tls", "v=TLSRPTv1; rua=mailto:reports@example.com,https://reports.provider.example/tls", TTL(3600)), // TLS-RPT: where failures of TLS are reported
  TXT("_ua-auto-config", "v=UAAC1; a=sha256; d=BysO/OFRdu0K8vWC2526X11Q7VGD8ROaJMT5Av78qIo=", TTL(3600)), // PACC: the digest of the settings
  TXT("_validation-persist", "letsencrypt.org; accounturi=https://acme.example/acct/1", TTL(3600)), // ACME: an authority that takes this for control of the domain
  CNAME("autoconfig", "www.example.com.", TTL(3600)), // settings for mail programs
  CNAME("autodiscover", "www.example.com.", TTL(3600)), // settings for Outlook
  A("mail", "203.0.113.25", TTL(3600)), // the host's address
  AAAA("mail", "2001:db8::25", TTL(3600)), // the host's address
  TXT("mail", "v=spf1 a -all", TTL(3600)), // SPF: the name in EHLO and of bounces
  TLSA("_25._tcp.mail", 2, 1, 1, "e2a7789031b5fff8011f45f89d4c8b7ab413fe24fe7c9b40af0d6b4384f80052", TTL(3600)), // DANE: an authority that certifies the host
  TLSA("_25._tcp.mail", 3, 1, 1, "4f0c1b1dd1ec8e0e6b4f9a2c1a3ef0f1c0f4a97d3d4b6c0b5ad1c6f3a1b2c3d4", TTL(3600)), // DANE: a key of the host
  TLSA("_25._tcp.mail", 3, 1, 1, "9b7ae31f0e7b2a6cb2f9f6a4f1a0c9d8e7b6a5948372615f4e3d2c1b0a998877", TTL(3600)), // DANE: a key of the host
  TXT("_smtp._tls.mail", "v=TLSRPTv1; rua=mailto:reports@example.com,https://reports.provider.example/tls", TTL(3600)), // TLS-RPT: where failures with the host are reported
  CNAME("mta-sts", "www.example.com.", TTL(3600)), // MTA-STS: where the policy file is
  MX("news", 10, "mail.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("news", "v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 include:_spf.provider.example ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("default._bimi.news", "v=BIMI1; l=https://www.example.com/logo.svg; a=https://www.example.com/logo.pem", TTL(3600)), // BIMI: the logo that mail programs may show
  TXT("_dmarc.news", "v=DMARC1; p=quarantine; np=reject; rua=mailto:reports@example.com", TTL(3600)), // DMARC: what receivers do with mail that fails
  SRV("_submission._tcp.news", 0, 1, 587, "mail.example.com.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp.news", 0, 1, 465, "mail.example.com.", TTL(3600)), // where users' programs send through
  CNAME("ua-auto-config", "www.example.com.", TTL(3600)), // PACC: settings for mail programs
  END);
D_EXTEND("example.net",
  MX("@", 0, ".", TTL(3600)), // null MX: takes no mail
  TXT("@", "v=spf1 -all", TTL(3600)), // SPF: nobody sends in the domain's name
  MX("*", 0, ".", TTL(3600)), // names that do not exist take no mail
  TXT("*", "v=spf1 -all", TTL(3600)), // SPF: nobody sends in names that do not exist
  TXT("_dmarc", "v=DMARC1; p=reject; np=reject", TTL(3600)), // DMARC: refuse what claims to come from it
  TXT("*._domainkey", "v=DKIM1; p=", TTL(3600)), // DKIM: no key signs for it
  END);
D_EXTEND("example.org",
  MX("@", 10, "mail.example.com.", TTL(3600)), // where mail to the domain goes
  TXT("@", "v=spf1 ip4:203.0.113.25 ip6:2001:db8::25 ~all", TTL(3600)), // SPF: hosts that send in the domain's name
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)), // DMARC: what receivers do with mail that fails
  TXT("example.com._report._dmarc", "v=DMARC1", TTL(3600)), // DMARC: takes reports about another domain
  SRV("_submission._tcp", 0, 1, 587, "mail.example.com.", TTL(3600)), // where users' programs send through
  SRV("_submissions._tcp", 0, 1, 465, "mail.example.com.", TTL(3600)), // where users' programs send through
  END);
