#!/bin/bash
# Steady load for a long time: memory and descriptors of every process have to stay flat.
#
#   tests/soak/soak.sh                        an hour, from a build tree (build/, or top_builddir)
#   SOAK_SECONDS=600 SOAK_EVERY=10 ...        shorter; SOAK_HOSTS, SOAK_PAUSE (s between two steps of the load)
#
# Hosts with a software TPM and an attestd each attest in turn, logins ask the gate, some by break-glass, which is told to
# the verifier; an administrator reads and gives leases, a gateway asks, and now and then one sends nonsense. Every SOAK_EVERY seconds each process gives one line of SOAK_LOG: second, name, pid,
# resident KiB, private dirty KiB, descriptors. Not part of `make check`.
#
# Flat means, over the second half: private dirty memory grows by less than SOAK_KIB (512) by a straight line laid
# through the samples; descriptors do not rise from its first to its second half both at the least and at the most, for
# connections come and go between samples; and no process but a parse worker, which is renewed by design, has another
# pid than at the start. A worker's samples are of whoever holds its place.
set -u
SOURCE=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd) BUILD=$(cd "${top_builddir:-$SOURCE/build}" && pwd)
for p in swtpm swtpm_setup tpm2_pcrextend curl jq; do
	command -v $p >/dev/null || { echo "SKIP: no $p here"; exit 77; }
done
. "$SOURCE/tests/integration/lab.sh"
BOOT=$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements

seconds=${SOAK_SECONDS:-3600} every=${SOAK_EVERY:-30} hosts=${SOAK_HOSTS:-3} pause=${SOAK_PAUSE:-0.5}
log=${SOAK_LOG:-$PWD/soak.log}

lab_open "$(mktemp -d)"
ROOT=$LAB
finish() {
	LAB=$ROOT
	for n in "${!PIDS[@]}"; do lab_kill "$n"; done
	for i in $(seq "$hosts"); do [ ! -d "$ROOT/h$i/tpm" ] || swtpm_stop "$ROOT/h$i/tpm"; done
	rm -rf "$ROOT"
}
trap finish EXIT
trap 'exit 1' INT TERM

give_up() {
	echo "soak: $*"
	for l in "$ROOT"/*.log "$ROOT"/h*/*.log; do echo "--- $l"; tail -n 5 "$l"; done
	exit 1
}

# --- the verifier and its hosts

verifier() { "$VERIFIERCTL" --socket "$ROOT/vrun/admin.sock" "$@"; }
# host N: what follows is that machine's
host() {
	LAB=$ROOT/h$1
	TCTI=swtpm:path=$LAB/tpm/sock
}
add_host() {
	host "$1"
	mkdir -p "$LAB"/{pam.d,run,state,ek-roots}
	lab_manufacture >"$LAB/manufacture.log" 2>&1 || return 1
	lab_power_on "$BOOT" >>"$LAB/tpm.log" 2>&1 || return 1
	cat "$LAB"/ek-roots/*.pem >"$ROOT/ek-roots/h$1.pem"
	lab_host_conf
	sed -i "/^\[paths\]/a group = $LAB/group" "$LAB/gate.conf"
	printf 'attest-breakglass:x:999:eve\n' >"$LAB/group"
}
enroll_host() {
	host "$1"
	lab_attestd_up || return 1
	PIDS[attestd-$1]=${PIDS[attestd]}
	unset 'PIDS[attestd]'
	attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$ROOT/verifier/tls/ca.pem" --name "host-$1" >/dev/null &&
		verifier approve "host-$1" --yes >/dev/null
}

for i in $(seq "$hosts"); do add_host "$i" || give_up "no TPM for host $i"; done
LAB=$ROOT
lab_verifier_conf 15m 24h
lab_verifier_up || give_up "no verifier"
for i in $(seq "$hosts"); do enroll_host "$i" || give_up "host $i does not enroll"; done
# Each host is a group of its own: its boot is good because it was captured from it.
approve_boot() {
	host "$1"
	wait_for 30 test -s "$LAB/run/result.jwt" &&
		verifier references capture "host-$1" --name "base-$1" --reason soak >/dev/null &&
		verifier references activate "base-$1" --yes >/dev/null
}
for i in $(seq "$hosts"); do approve_boot "$i" || give_up "host $i has no reference set"; done
gateway=$(verifier gateways add vpn --audience vpn.example --reason soak --json | jq -r .token)
# A refused host asks again five seconds later.
sleep 6

# --- samples

declare -A NAME=()
# names: every process once, as "role" or "role-N" for those that are several
names() {
	local pid cmd word n
	declare -A seen=()
	NAME=()
	NAME[${PIDS[verifierd]}]=verifierd
	for pid in $(pgrep -P "${PIDS[verifierd]}" | sort -n); do
		mapfile -d '' -t cmd <"/proc/$pid/cmdline" 2>/dev/null
		[ ${#cmd[@]} -gt 0 ] || continue
		word=${cmd[0]##*/}
		[ "$word" != verifierd-net ] || word=$word-${cmd[-1]}
		n=$((${seen[$word]:-0} + 1))
		seen[$word]=$n
		NAME[$pid]=$word-$n
	done
	for n in $(seq "$hosts"); do
		pid=${PIDS[attestd-$n]}
		NAME[$pid]=attestd-$n
		for pid in $(pgrep -P "$pid"); do NAME[$pid]=attestd-tpm-$n; done
	done
}
sample() {
	local pid fds rss dirty
	names
	for pid in $(printf '%s\n' "${!NAME[@]}" | sort -n); do
		fds=(/proc/"$pid"/fd/*)
		rss=$(awk '/^Rss:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
		dirty=$(awk '/^Private_Dirty:/ { print $2 }' "/proc/$pid/smaps_rollup" 2>/dev/null)
		[ -z "$rss" ] || printf '%d\t%s\t%d\t%d\t%d\t%d\n' "$1" "${NAME[$pid]}" "$pid" "$rss" "$dirty" ${#fds[@]}
	done >>"$log"
}

# --- load

asks=0 attests=0 refused=0 reads=0 nonsense=0
bad() {
	refused=$((refused + 1))
	[ $refused -gt 5 ] || { echo "soak: ${LAB##*/}: $1:"; cat "$ROOT/said"; }
}
step() {
	host $(($1 % hosts + 1))
	if attestctl attest --json >"$ROOT/said" 2>&1; then attests=$((attests + 1)); else bad attest; fi
	host $((($1 + 1) % hosts + 1))
	# One login in eight finds no record and has to ask.
	[ $(($1 % 8)) != 0 ] || rm -f "$LAB/run/verdict"
	if "$BUILD/tests/integration/pam_login" "$LAB/pam.d" demo kim </dev/null >"$ROOT/said" 2>&1; then asks=$((asks + 1)); else bad login; fi
	case $(($1 % 10)) in
	0) verifier hosts --json >/dev/null ;;
	1) verifier allow "host-${LAB##*/h}" --for 60s --reason soak --json >/dev/null ;;
	2) verifier history "host-${LAB##*/h}" --json >/dev/null ;;
	4)
		# Orders, as often as somebody who has the token likes.
		curl -sf -m 5 --cacert "$ROOT/verifier/tls/ca.pem" -H "Authorization: Bearer $(jq -r .token "$LAB/state/identity")" -o /dev/null \
			"https://127.0.0.1:$PORT/v1/orders/$(jq -r .host_id "$LAB/state/identity")/$(printf '%043d' 0)"
		;;
	6) "$BUILD/tests/integration/pam_login" "$LAB/pam.d" demo eve </dev/null >/dev/null 2>&1 ;;
	8)
		curl -sf -m 5 --cacert "$ROOT/verifier/tls/ca.pem" -H "Authorization: Bearer $gateway" -o /dev/null \
			"https://127.0.0.1:$PORT/v1/results/host-${LAB##*/h}"
		;;
	3) verifier explain "$(lab_field .ref)" --json >/dev/null ;;
	5) verifier audit list >/dev/null ;;
	7) verifier references list --json >/dev/null ;;
	9)
		nonsense=$((nonsense + 1))
		curl -s -m 5 --cacert "$ROOT/verifier/tls/ca.pem" -H 'Content-Type: application/vnd.pam-attest.evidence' \
			--data-binary "@$BOOT" -o /dev/null "https://127.0.0.1:$PORT/v1/evidence"
		;;
	esac && reads=$((reads + 1))
}

printf '# second\tname\tpid\tresident KiB\tprivate dirty KiB\tdescriptors\n' >"$log"
start=$SECONDS next=0 n=0
while [ $((SECONDS - start)) -lt "$seconds" ]; do
	if [ $((SECONDS - start)) -ge $next ]; then
		sample $((SECONDS - start))
		next=$((next + every))
	fi
	step $n
	n=$((n + 1))
	sleep "$pause"
done
sample $((SECONDS - start))
echo "soak: $((SECONDS - start)) s, $attests attestations, $asks logins permitted, $refused refused, $reads reads, $nonsense bodies of nonsense;" \
	"store $(du -ck "$ROOT"/verifier/store.db* | tail -n 1 | cut -f1) KiB, $(find "$ROOT/verifier" -type f | wc -l) files"

# --- the table

awk -F '\t' -v kib="${SOAK_KIB:-512}" -v refused="$refused" '
/^#/ { next }
{
	name = $2
	if (!(name in first)) { order[++names] = name; first[name] = $5; pid[name] = $3 }
	if (pid[name] != $3) { pids[name]++; pid[name] = $3 }
	if ($4 > rss[name]) rss[name] = $4
	last[name] = $5; fds[name] = $6
	if ($6 > fdmax[name]) fdmax[name] = $6
	at[NR] = $1; who[NR] = name; dirty[NR] = $5; open[NR] = $6; end = $1
}
# what a straight line through the second half grows by from its start to its end
function growth(value, name,    i, k, x, sx, sy, sxx, sxy, d) {
	k = sx = sy = sxx = sxy = 0
	for (i in who) if (who[i] == name && at[i] * 2 >= end) {
		x = at[i]; k++; sx += x; sy += value[i]; sxx += x * x; sxy += x * value[i]
	}
	d = k * sxx - sx * sx
	return d ? (k * sxy - sx * sy) / d * end / 2 : 0
}
# from the third quarter to the last: how much more is open at the least and at the most, whichever is less
function rise(value, name,    i, late, least, most) {
	least[0] = least[1] = 1e9
	for (i in who) if (who[i] == name && at[i] * 2 >= end) {
		late = at[i] * 4 >= end * 3
		if (value[i] < least[late]) least[late] = value[i]
		if (value[i] > most[late]) most[late] = value[i]
	}
	if (least[0] == 1e9 || least[1] == 1e9) return 0
	return least[1] - least[0] < most[1] - most[0] ? least[1] - least[0] : most[1] - most[0]
}
END {
	printf "%-24s %10s %10s %10s %10s %8s %8s %8s %6s\n", "process", "rss max", "dirty 1st", "last", "growth", "fds", "max", "rise", "pids"
	for (i = 1; i <= names; i++) {
		n = order[i]
		g = growth(dirty, n); f = rise(open, n)
		word = g < kib && f < 1 && (!pids[n] || n ~ /parse/) ? "" : "  NOT FLAT"
		if (word) bad++
		printf "%-24s %10d %10d %10d %10.0f %8d %8d %8d %6d%s\n", n, rss[n], first[n], last[n], g, fds[n], fdmax[n], f, 1 + pids[n], word
	}
	if (refused) print "refused: " refused
	print bad ? "soak: " bad " not flat" : "soak: flat"
	exit bad || refused > 0
}' "$log"
