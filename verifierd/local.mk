# main, net, core, parse, judge and verifierctl: one executable a role.
