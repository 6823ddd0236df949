#!/bin/bash
# Row 35, through daemons of this system that ask in a conversation: ocserv with openconnect, and sshd with keyboard-interactive,
# where attest-askpass answers so that `ssh` just works. The machine that connects has the TPM and is in a network namespace of
# its own; the gateway has none. What the user sees, how it ends, and what the gateway logs.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq ocserv openconnect ip openssl
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/system/machine.sh"
. "$SOURCE/tests/system/gateway.sh"
machine_skip
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside
VM=$SOURCE/tests/data/vm

lab_open /run/lab
trap lab_end EXIT

gateway_nets || { echo "SKIP: no network namespace, veth or tun here"; exit 77; }
echo '10.99.0.1 gw.example other.example' >>/etc/hosts
machine_users
machine_keys
machine_syslog
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
gateway_verifier; is "the verifier starts" $? 0
gateway_client; is "the machine attests before it connects" $? 0
gateway_attestd && gateway_named; is "the gateway's attestd starts" $? 0
cp "$BUILD/.libs/pam_attest.so" "$PAM_MODULES/"
cd "$LAB" || exit 1

code() { "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" passport --audience "$1" --user kim; }
# said SERVICE: what the gate logged since it was asked last.
said() {
	machine_logged
	sed -nE "s/.*pam_attest\\($1:account\\): //; s/ ref=(L-)?[0-9A-Z-]*/ ref=\\1REF/; s/ age=[^ ]* ms=[0-9]+//; /^[a-z-]+ user=/p" \
		"$LAB/logged" | tail -n 1
}
at() { echo "user=kim rhost=10.99.0.2 service=$1 reason=$2 ref=${4-REF} mode=enforce state=$3"; }

# --- ocserv

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=gw.example 2>/dev/null
printf 'extendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\nsubjectAltName=DNS:gw.example\n' >server.ext
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.crt 2>/dev/null
recipe ocserv pam.d/ocserv >/etc/pam.d/ocserv
cat >ocserv.conf <<-C
	$(recipe ocserv ocserv/ocserv.conf.part)
	tcp-port = 4443
	udp-port = 0
	listen-host = 10.99.0.1
	run-as-user = nobody
	run-as-group = nogroup
	socket-file = /run/ocserv-socket
	pid-file = /run/ocserv.pid
	server-cert = $LAB/server.crt
	server-key = $LAB/server.key
	isolate-workers = true
	max-clients = 4
	max-ban-score = 0
	device = vpns
	ipv4-network = 10.97.0.0
	ipv4-netmask = 255.255.255.0
	auth-timeout = 20
	try-mtu-discovery = false
C
# For each login a fresh one: after a few, ocserv 1.1.6's sec-mod ends with its heap corrupted, with pam_unix alone as well.
ocserv_up() {
	lab_kill ocserv
	rm -f /run/ocserv*
	lab_start ocserv ocserv -f -d 1 -c ocserv.conf
	wait_for 10 bash -c 'exec 3<>/dev/tcp/10.99.0.1/4443'
}

# ocserv_client LINES...: "in", or what the user sees last; each line answers a prompt.
ocserv_client() {
	rm -f oc.out
	printf '%s\n' "$@" | timeout 15 ip netns exec cli openconnect --script /bin/true --cafile ca.crt --user kim --passwd-on-stdin \
		--non-inter https://gw.example:4443/ >oc.out 2>&1 &
	wait_for 15 grep -qE 'CSTP connected|Configured as|failed|Failed|Server .* requested|exiting' oc.out
	grep -qE 'CSTP connected|Configured as' oc.out && echo in || grep -oE 'Authentication failed|Login failed|401 [A-Za-z ]+' oc.out | tail -n 1
	kill $! 2>/dev/null
	wait $! 2>/dev/null
}
oc() {  # <what> <wanted> <log> lines...
	local what=$1 wanted=$2 log=$3; shift 3
	ocserv_up || is "ocserv starts" 1 0
	machine_logged
	is "ocserv: $what: sees" "$(ocserv_client "$@")" "$wanted"
	is "ocserv: $what: log" "$(said ocserv)" "$log"
}
gateway_conf "$LAB/gw" ocserv
now=$(code vpn.example)
oc "passport, good" in "permitted $(at ocserv ok affirming) source=passport peer=laptop7" "$PASSWORD" "$now"
oc "35: passport, again" "401 Authentication failed" "refused $(at ocserv passport-invalid contraindicated L-REF) source=none" "$PASSWORD" "$now"
oc "passport, none" "401 Authentication failed" "refused $(at ocserv passport-missing none L-REF) source=none" "$PASSWORD" ""
oc "35: passport, for sshd" "401 Authentication failed" "refused $(at ocserv passport-invalid contraindicated L-REF) source=none" "$PASSWORD" "$(code ssh.example)"
gateway_conf "$LAB" ocserv
gateway_edit "/^sources/d; /^audience/d"
oc "its own state, good" in "permitted $(at ocserv ok affirming) source=cache" "$PASSWORD"
gateway_conf "$LAB/gw" ocserv
gateway_edit "s/^sources.*/sources = exempt peer/; s/^audience.*/peer_prompt = yes/"
oc "peer, where people answer" "401 Authentication failed" "refused $(at ocserv peer-unnamed none L-REF) source=none" "$PASSWORD"

# --- sshd: a key, and the machine's passport; nothing is typed

recipe ssh-bastion pam.d/sshd >/etc/pam.d/sshd
cat >sshd_config <<-C
	ListenAddress 10.99.0.1
	HostKey $KEYS/host
	PidFile none
	$(recipe ssh-bastion ssh/sshd_config.part)
	Match LocalPort 2222
		AuthenticationMethods publickey
C
printf 'Port 22\nPort 2222\n' | cat - sshd_config >sshd_config.new && mv sshd_config.new sshd_config
printf 'gw.example,other.example,[gw.example]:2222 %s\n' "$(cat $KEYS/host.pub)" >known_hosts
lab_start sshd /usr/sbin/sshd -D -f "$LAB/sshd_config"
wait_for 5 bash -c 'exec 3<>/dev/tcp/10.99.0.1/22'; is "sshd starts" $? 0

# What a user sets up once: the helper, and for whom it may answer.
mkdir -p home/.config/attest bin
{ echo '# the bastion'; recipe ssh-bastion attest/audiences | sed s/bastion.example/gw.example/; } >home/.config/attest/audiences
printf '#!/bin/sh\nexec %s -c %s --run-dir %s "$@"\n' "$ATTESTCTL" "$LAB/gate.conf" "$LAB/run" >bin/attestctl
printf '#!/bin/sh\necho "asked: $1" >&2\necho typed\n' >bin/else
chmod 755 bin/*
ssh_client() {  # HOST [OPTIONS]
	timeout 20 ip netns exec cli env -u DISPLAY HOME="$LAB/home" XDG_CONFIG_HOME= PATH="$LAB/bin:$PATH" ATTEST_ASKPASS_ELSE="$LAB/bin/else" \
		SSH_ASKPASS="$SOURCE/pam_attest/attestctl/attest-askpass" SSH_ASKPASS_REQUIRE=force \
		ssh -F none -o UserKnownHostsFile=known_hosts -o StrictHostKeyChecking=yes -o NumberOfPasswordPrompts=1 -o IdentitiesOnly=yes \
		-i $KEYS/user -l kim "${@:2}" "$1" echo in </dev/null >ssh.out 2>ssh.err
	echo "$?: $(cat ssh.out)$(sed -E 's/\r//; s/\b(L-)?[0-9A-Z]{4}-[0-9A-Z]{4}\b/\1REF/g; /^$/d' ssh.err)"
}
ssh_is() {  # <what> <wanted> <log> HOST [OPTIONS]
	local what=$1 wanted=$2 log=$3; shift 3
	machine_logged
	is "ssh: $what: sees" "$(ssh_client "$@")" "$wanted"
	is "ssh: $what: log" "$(said sshd)" "$log"
}
NO_PASSPORT="attest: refused: no passport was given (passport-missing). Ref L-REF. on the machine that connects: attestctl passport --audience A --user U"
gateway_conf "$LAB/gw" ssh-bastion
ssh_is "just works" "0: in" "permitted $(at sshd ok affirming) source=passport peer=laptop7" gw.example
ssh_is "and again" "0: in" "permitted $(at sshd ok affirming) source=passport peer=laptop7" gw.example
ssh_is "by key alone there is no prompt" "255: $NO_PASSPORT
Connection closed by 10.99.0.1 port 2222" "refused $(at sshd passport-missing none L-REF) source=none" gw.example -p 2222
ssh_is "35: a server under another name" "255: attestctl passport: other.example asks for a passport for ssh.example, which your list of audiences does not have for it
$NO_PASSPORT
kim@other.example: Permission denied (keyboard-interactive)." "refused $(at sshd passport-missing none L-REF) source=none" other.example
gateway_conf "$LAB/gw" ssh-bastion
gateway_edit s/ssh.example/vpn.example/
ssh_is "35: a foreign audience" "255: attestctl passport: gw.example asks for a passport for vpn.example, which your list of audiences does not have for it
$NO_PASSPORT
kim@gw.example: Permission denied (keyboard-interactive)." "refused $(at sshd passport-missing none L-REF) source=none" gw.example
gateway_conf "$LAB/gw" ssh-bastion
gateway_edit s/enforce/audit/
ssh_is "audit asks as well, and refuses nobody" "0: in" "would-permit $(at sshd ok affirming | sed s/enforce/audit/) source=passport peer=laptop7" gw.example
gateway_conf "$LAB/gw" ssh-bastion
recipe ssh-key-and-password pam.d/sshd >/etc/pam.d/sshd
ssh_is "other prompts go to the helper behind it" "255: asked: (kim@gw.example) Password: 
kim@gw.example: Permission denied (keyboard-interactive)." "" gw.example
printf '#!/bin/sh\necho %s\n' "$PASSWORD" >bin/else
ssh_is "a password, and the passport" "0: in" "permitted $(at sshd ok affirming) source=passport peer=laptop7" gw.example

# --- a key and a password, on a host that is good itself: nobody shows a passport
is "of sshd_config the two recipes want the same" "$(recipe ssh-key-and-password ssh/sshd_config.part)" "$(recipe ssh-bastion ssh/sshd_config.part)"
gateway_conf "$LAB" ssh-key-and-password
ssh_is "a key and a password" "0: in" "permitted $(at sshd ok affirming) source=cache" gw.example
verifierctl references retire base --reason test --yes >/dev/null
attestctl attest -q; is "the host is refused" $? 1
ssh_is "a key and a password, refused" "255: $(sed -n 's/^sees: //p' "$SOURCE/recipes/ssh-key-and-password/about")
kim@gw.example: Permission denied (keyboard-interactive)." "refused $(at sshd no-reference contraindicated) source=none" gw.example
[ $failed = 0 ]
