#!/bin/bash
# Row 35, and VPN daemons of this system: OpenVPN with its auth-pam plugin, plain and deferred, over a real tunnel between two
# network namespaces. A client's machine has the TPM and attests to the verifier before it connects; the gateway has none, and
# judges it by its certificate's name or its passport. What the client's user sees, and what the gateway logs, to the letter.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq openvpn ip openssl
PLUGIN=/usr/lib/openvpn/openvpn-plugin-auth-pam.so
[ -e $PLUGIN ] || { echo "SKIP: no $PLUGIN here"; exit 77; }
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/system/machine.sh"
. "$SOURCE/tests/system/gateway.sh"
machine_skip
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside
VM=$SOURCE/tests/data/vm

lab_open /run/lab
trap lab_end EXIT

gateway_nets || { echo "SKIP: no network namespace, veth or tun here"; exit 77; }
machine_users
machine_syslog
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
gateway_verifier; is "the verifier starts" $? 0
gateway_client; is "the client's attestd starts" $? 0
wait_for 20 sh -c '[ "$(sed -n s/^reason=//p "$1"/run/verdict)" = ok ]' - "$LAB"; is "the client attests with no VPN up" $? 0
gateway_attestd; is "the gateway's attestd starts" $? 0

# --- OpenVPN

certificate() {  # NAME CN USAGE
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
	printf 'extendedKeyUsage=%s\nkeyUsage=digitalSignature\n' "$3" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
mkdir -p "$LAB/vpn" && cd "$LAB/vpn" || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca 2>/dev/null
certificate server vpn.example serverAuth
certificate laptop7 laptop7 clientAuth
certificate stranger stranger clientAuth
certificate kim kim clientAuth

cp "$BUILD/.libs/pam_attest.so" "$PAM_MODULES/"
recipe openvpn pam.d/openvpn >/etc/pam.d/openvpn
recipe openvpn openvpn/server.conf.part >server.conf
printf 'kim\n%s\n' "$PASSWORD" >password
printf 'kim\nwrong\n' >guess
chmod 600 password guess

server() {
	lab_start openvpn openvpn --mode server --tls-server --dev tun --topology subnet --server 10.98.0.0 255.255.255.0 \
		--proto udp --local 10.99.0.1 --port 1194 --ca ca.crt --cert server.crt --key server.key --dh none \
		--verify-client-cert optional --duplicate-cn --config "$LAB/vpn/server.conf" --verb 3 --log server.out "$@"
	wait_for 10 grep -q 'Initialization Sequence Completed' server.out
}
# connect FILE CERTIFICATE [OPTIONS]: a client in the background, "client" among PIDS, that writes client.out.
connect() {
	local file=$1 cert=$2; shift 2
	# shellcheck disable=SC2046  # words
	lab_start client timeout 60 ip netns exec cli openvpn --client --dev tun --proto udp --remote 10.99.0.1 1194 --ca ca.crt \
		--remote-cert-tls server $([ "$cert" = none ] || echo --cert "$cert.crt" --key "$cert.key") --auth-user-pass "$file" \
		--nobind --verb 3 --script-security 1 --log client.out "$@"
}
# client FILE CERTIFICATE: "in", or what the user sees last.
client() {
	rm -f client.out
	connect "$1" "$2" --auth-retry none --connect-retry-max 1
	wait_for 10 grep -qE 'Initialization Sequence Completed|SIG[A-Z]+\[' client.out
	lab_kill client
	grep -oE 'Initialization Sequence Completed|AUTH_FAILED' client.out | head -n 1 | sed 's/Initialization Sequence Completed/in/'
}
# said: what the gate logged of it.
said() {
	machine_logged
	sed -nE 's/.*pam_attest\(openvpn:account\): //; s/ ref=(L-)?[0-9A-Z-]*/ ref=\1REF/; s/ ref=(L-)?REF mode/ ref=\1REF mode/; s/ age=[^ ]* ms=[0-9]+//; /^[a-z-]+ user=/p' "$LAB/logged" | tail -n 1
}
# vpn <what> <wanted outcome> <wanted log> client's arguments...
vpn() {
	local what=$1 wanted=$2 log=$3; shift 3
	machine_logged
	client "$@" >seen
	is "$WITH: $what: sees" "$(cat seen)" "$wanted"
	is "$WITH: $what: log" "$(said)" "$log"
}
at() { echo "user=kim rhost=10.99.0.2 service=openvpn reason=$1 ref=${3-REF} mode=enforce state=$2"; }
passport() { printf 'kim\nSCRV1:%s:%s\n' "$(printf %s "$PASSWORD" | base64)" "$(printf %s "$1" | base64)"; }
code() { "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" passport --audience "${1:-vpn.example}" --user "${2:-kim}"; }

# --- plain: every outcome

WITH=plain
sed -i.deferred /deferred_auth_pam/d server.conf
server; is "OpenVPN starts" $? 0
gateway_conf "$LAB/gw" openvpn-peer
vpn "peer, no gateway yet" AUTH_FAILED "refused $(at not-a-gateway none L-REF) source=none peer=laptop7" password laptop7
gateway_named; is "an administrator names the gateway" $? 0
vpn "peer, good" in "permitted $(at ok affirming) source=peer peer=laptop7" password laptop7
vpn "peer, unknown" AUTH_FAILED "refused $(at peer-unknown none L-REF) source=none peer=stranger" password stranger
vpn "peer, no certificate" AUTH_FAILED "refused $(at peer-unnamed none L-REF) source=none" password none
vpn "peer, a certificate with the user's name" AUTH_FAILED "refused $(at peer-unnamed none L-REF) source=none" password kim
vpn "peer, a wrong password" AUTH_FAILED "" guess laptop7

gateway_conf "$LAB/gw" openvpn-passport
passport "$(code)" >scrv; chmod 600 scrv
vpn "passport, good" in "permitted $(at ok affirming) source=passport peer=laptop7" scrv stranger
vpn "35: passport, again" AUTH_FAILED "refused $(at passport-invalid contraindicated L-REF) source=none" scrv stranger
vpn "passport, none" AUTH_FAILED "refused $(at passport-missing none L-REF) source=none" password laptop7
passport "$(code vpn.example lee)" >scrv
vpn "35: passport, of another user" AUTH_FAILED "refused $(at passport-invalid contraindicated L-REF) source=none" scrv laptop7
passport "$(code ssh.example)" >scrv
vpn "35: passport, for another audience" AUTH_FAILED "refused $(at passport-invalid contraindicated L-REF) source=none" scrv laptop7
passport "$(cut -c 1-40 "$LAB/run/result.jwt")" >scrv
vpn "35: a result as a passport" AUTH_FAILED "refused $(at passport-invalid contraindicated L-REF) source=none" scrv laptop7

# Here the machine with the TPM is the gateway.
gateway_conf "$LAB" openvpn
vpn "its own state, good" in "permitted $(at ok affirming) source=cache" password stranger

# A gateway that is an enrolled host asks with the token of its enrollment.
gateway_conf "$LAB" openvpn-peer
vpn "peer, asked by a host that is no gateway" AUTH_FAILED "refused $(at not-a-gateway none L-REF) source=none peer=laptop7" password laptop7
verifierctl gateways add self --host laptop7 --reason test >/dev/null; is "an administrator names the host" $? 0
vpn "peer, asked by a host that is one" in "permitted $(at ok affirming) source=peer peer=laptop7" password laptop7
verifierctl gateways remove self --reason test >/dev/null; is "and takes it back" $? 0

# The verifier is out: that is no refusal, and nobody waits for it twice.
lab_kill verifierd
gateway_conf "$LAB/gw" openvpn-peer
vpn "peer, verifier out" AUTH_FAILED "refused $(at verifier-unreachable none L-REF) source=none peer=laptop7" password laptop7
gateway_conf "$LAB" openvpn
vpn "its own state, verifier out" in "permitted $(at ok affirming) source=cache" password stranger
lab_verifier_up; is "the verifier is back" $? 0
lab_kill openvpn

# --- deferred: the same decisions, while other tunnels go on

WITH=deferred
printf 'management-secret\n' >management && chmod 600 management
{ cat server.conf.deferred; recipe end-sessions openvpn/server.conf.part | sed "s|/etc/openvpn/management.password|$PWD/management|"; } >server.conf
server --keepalive 1 3; is "OpenVPN starts" $? 0
gateway_again                           # it remembers for some seconds that nobody answered
gateway_conf "$LAB/gw" openvpn-peer
vpn "peer, good" in "permitted $(at ok affirming) source=peer peer=laptop7" password laptop7
vpn "peer, unknown" AUTH_FAILED "refused $(at peer-unknown none L-REF) source=none peer=stranger" password stranger
gateway_conf "$LAB/gw" openvpn-passport
passport "$(code)" >scrv
vpn "passport, good" in "permitted $(at ok affirming) source=passport peer=laptop7" scrv stranger
vpn "35: passport, again" AUTH_FAILED "refused $(at passport-invalid contraindicated L-REF) source=none" scrv stranger

# --- another kernel command line on the client's machine

lab_kill attestd
lab_power_off
lab_power_on "$VM/sb-shimgrub-cmd/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
gateway_client_up
wait_for 20 sh -c '[ "$(sed -n s/^state=//p "$1"/run/verdict)" = contraindicated ]' - "$LAB"; is "the client is refused" $? 0
gateway_conf "$LAB/gw" openvpn-peer
vpn "peer, refused" AUTH_FAILED "refused $(at cmdline-changed contraindicated) source=none peer=laptop7" password laptop7
out=$(code 2>&1); is "a refused machine gets no passport" "$?,$(echo "$out" | grep -o '(cmdline-changed)')" "1,(cmdline-changed)"
gateway_conf "$LAB" openvpn
vpn "its own state, refused" AUTH_FAILED "refused $(at cmdline-changed contraindicated) source=none" password stranger
verifierctl accept laptop7 --reason "a new command line" --yes >/dev/null && attestctl attest -q; is "what changed is accepted" $? 0
vpn "its own state, good again" in "permitted $(at ok affirming) source=cache" password stranger

# --- a session ends with the verdict: the recipes, as they are shipped; wg is a stub, for there is no WireGuard here

# unit RECIPE FILE: what its unit has attestctl do, with files where they are here.
unit() { recipe "$1" "systemd/system/$2" | sed -n "s|/usr/share/pam-attest/recipes|$SOURCE/recipes|; s|/etc/attest|$PWD|; s|^ExecStart=/usr/bin/attestctl ||p"; }
mkdir -p stub && printf '#!/bin/sh\necho "$*" >>%s/wg.calls\n' "$PWD" >stub/wg && chmod 755 stub/wg
recipe end-sessions attest/vpn-peers >vpn-peers
recipe wireguard attest/wg-peers >wg-peers
# shellcheck disable=SC2086  # words
watch() { lab_start "$1" env PATH="$PWD/stub:$PATH" OPENVPN_MANAGEMENT_PASSWORD="$PWD/management" "$ATTESTCTL" --run-dir "$2" $3 --every 1s; }
gateway_conf "$LAB/gw" openvpn-peer
rm -f client.out wg.calls
connect password laptop7 --auth-retry none
wait_for 10 grep -q 'Initialization Sequence Completed' client.out; is "a session begins" $? 0
watch watch-vpn "$LAB/gw/run" "$(unit end-sessions attest-vpn-sessions.service)"
watch watch-wg "$LAB/gw/run" "$(unit wireguard attest-wireguard.service)"
watch watch-own "$LAB/run" "watch --json"
wait_for 10 grep -q laptop7 "$LAB/watch-vpn.log"
machine_logged
verifierctl references revoke base --reason "a hole in it" --yes --confirm 1 >"$LAB/revoke.log" 2>&1; is "the set is revoked" $? 0
wait_for 10 grep -q AUTH_FAILED client.out; is "the session ends, and the next one is refused" $? 0
attestctl attest -q; is "the machine hears of it" $? 1
wait_for 10 grep -q contraindicated "$LAB/watch-own.log"
wait_for 10 grep -q remove wg.calls
for w in vpn wg own; do lab_kill watch-$w; done
machine_logged
no_times() { sed -E 's/^[0-9T:Z-]+ //; s/ [0-9A-Z]{4}-[0-9A-Z]{4}$/ REF/; s/ref=[0-9A-Z-]*/ref=REF/' "$1"; }
is "watch --peers" "$(no_times "$LAB/watch-vpn.log")" $'laptop7 affirming (ok) REF\nlaptop7 contraindicated (reference-revoked)'
is "what ended it is logged" "$(grep -o 'attest-vpn: .*' "$LAB/logged" | sed 's/ref=.*/ref=/')" "attest-vpn: ended sessions of laptop7: reference-revoked ref="
is "WireGuard's peers" "$(cat wg.calls)" $'set wg0 peer KEY7= allowed-ips 10.98.0.7/32\nset wg0 peer KEY8= remove\nset wg0 peer KEY7= remove'
is "watch --json of this host" "$(jq -r '"\(.peer)\(.state) \(.reason)"' "$LAB/watch-own.log")" $'affirming ok\ncontraindicated reference-revoked'
[ $failed = 0 ]
