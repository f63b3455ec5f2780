# The site of the appliance: what `site.json` is made from.
let
  people = [ "alice" "bob" ];
  quota = "4GiB";
in
{
  site = {
    hostname = "mail.example.com";
    origin = "example.com";
    postmaster = "alice@example.com";
    address = [ "203.0.113.25" "2001:db8::25" ];
  };
  tls.certificate = {
    name = "mail.example.com";
    chain-secret = "tls-chain";
    key-secret = "tls-key";
  };
  listen = [ "mx" "submission" "submissions" ];
  users = {
    name = "staff";
    passwd.secret = "users";
  };
  domain = {
    names = "example.com";
    mailbox = map (local-part: { inherit local-part quota; }) people;
    alias = [
      { local-part = "info"; targets = people; }
      { local-part = "abuse"; targets = "alice"; }
    ];
  };
  route = { to = "*"; via = "direct"; };
  allow = {
    code = "DKM012";
    reason = "keys are made when the machine is there: postern key new";
  };
  log.format = "json";
  test = [
    {
      name = "strangers cannot relay";
      client.address = "198.51.100.99";
      from = "x@evil.example";
      to = "victim@elsewhere.example";
      expect = { disposition = "reject"; reason = "relay-denied"; };
    }
    {
      name = "everybody on the list has a mailbox";
      from = "friend@elsewhere.example";
      to = "bob@example.com";
      expect = { disposition = "accept"; via = "store"; };
    }
  ];
}
