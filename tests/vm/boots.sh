#!/bin/bash
# boots.sh [all | GROUP | ROW...]: boots the rows of boots.table under QEMU, one after the other, and compares what becomes of
# each. See README. Ends with how many passed and failed; exit 1 if any failed, 77 where it cannot run.
set -u
SOURCE=${top_srcdir:-$(readlink -f "$(dirname "$0")/../..")} BUILD=${top_builddir:-$SOURCE/build}
WORK=$BUILD/vm TABLE=$SOURCE/tests/vm/boots.table
[ "$(id -u)" = 0 ] || { echo "SKIP: boots.sh needs root"; exit 77; }
for p in qemu-system-x86_64 swtpm swtpm_setup tpm2_nvdefine jq sgdisk mkfs.vfat mcopy sbsign sign-efi-sig-list cpio; do
	command -v $p >/dev/null || { echo "SKIP: no $p here"; exit 77; }
done
[ -e /usr/share/OVMF/OVMF_CODE_4M.secboot.fd ] || { echo "SKIP: no OVMF here"; exit 77; }
unshare -n true 2>/dev/null || { echo "SKIP: no network namespace here"; exit 77; }
for p in attestd attestd-tpm attestctl verifierd; do
	[ -n "$(find "$BUILD" -type f -name $p -perm -100 -print -quit)" ] || { echo "no $p in $BUILD: build first"; exit 2; }
done
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/vm/boot.sh"

KEPT=$WORK/last
passed=0 failed=0 group='' wanted=("$@")

rows() { grep -v -e '^#' -e '^machine' -e '^$' "$TABLE"; }

group_of() { sed -n "s/^machine  *$1  *[^ ]*  *//p" "$TABLE"; }  # <machine>

# The chosen rows: those marked + when nothing else is said.
chosen() {
	rows | while read -r run name machine rest; do
		case " ${wanted[*]} " in
		"  ") [ "$run" = + ] || continue ;;
		*" all "* | *" $name "* | *" $(group_of "$machine") "*) ;;
		*) continue ;;
		esac
		echo "$name $machine $rest"
	done
}

# --- a group: machines of one model, with a verifier of their own

open_group() {
	local name vars
	group=$1
	lab_open "$TOP/$1"
	while read -r _ name vars _; do
		vm_machine "$LAB/$name" "${vars#-}" >>"$LAB/manufacture.log" 2>&1 || { echo "no machine $name"; return 1; }
		cat "$LAB/$name"/tpm/ca/*.pem >"$LAB/ek-roots/$name.pem"
	done < <(grep "^machine .* $1$" "$TABLE")
	PORT=$(lab_port)
	lab_verifier_conf
	printf '[tls]\nnames = 10.0.2.2\n' >>"$LAB/verifierd.conf"
	lab_verifier_up || { echo "verifierd does not start"; return 1; }
	while read -r _ name _; do
		enroll_disk "$name"
	done < <(grep "^machine .* $1$" "$TABLE")
}

close_group() {
	lab_close
	[ -z "$group" ] || tail -n 1000 "$LAB"/*.log >"$KEPT/$group.log" 2>/dev/null
}

# The disk of a machine brings along how to enroll.
enroll_disk() {
	local dir=$LAB/$1/root token
	mkdir -p "$dir"
	cp "$LAB/verifier/tls/ca.pem" "$dir/"
	token=$(verifierctl tokens create --reason "$1" --json | jq -r .token)
	echo "--url https://10.0.2.2:$PORT --ca /ca.pem --name $1 --token $token" >"$dir/enroll"
	tar -cf "$LAB/$1/disk" -C "$dir" .
	truncate -s 4M "$LAB/$1/disk"
}

# What the next boot does at its end.
put_job() {  # <machine> <job>
	local dir=$LAB/$1/job
	mkdir -p "$dir"
	cp "$SOURCE/tests/vm/jobs/$2" "$dir/job" && cp "$WORK/dbx.auth" "$dir/" && tar -rf "$LAB/$1/disk" -C "$dir" .
	truncate -s 4M "$LAB/$1/disk"
}

# --- a row

before() {  # <machine> <how>
	case $2 in
	off) vm_secure_boot "$LAB/$1" 0 ;;
	job=*) put_job "$1" "${2#job=}" ;;
	esac
}
afterwards() {  # <row> <machine> <how> <ref>
	case $3 in
	off) vm_secure_boot "$LAB/$2" 1 ;;
	capture)
		verifierctl references capture "$2" --name "$1" --reason "$1" && verifierctl references activate "$1" --yes
		;;
	accept) verifierctl accept "$4" --reason "$1" --yes ;;
	esac
}

# Leaves state, reason, ref and the words.
run_row() {  # <row> <machine> <disk> <how>
	local out=$KEPT/$1 mem=512 cpus=1
	rm -rf "$out"
	mkdir -p "$out"
	: >"$out/words"
	before "$2" "$4" || { state=broken; return; }
	case $4 in
	mem=*) mem=${4#mem=} ;;
	cpus=*) cpus=${4#cpus=} ;;
	esac
	vm_boot "$LAB/$2" "$WORK/$3.img" "$out" "$mem" "$cpus"
	case $? in
	0)
		read -r state reason ref < <(sed -n 's/.*GUEST verdict \([^\r]*\)\r*/\1/p' "$out/serial.log")
		verifierctl explain "$ref" >"$out/words"
		verifierctl explain "$ref" --json >"$out/explain.json"
		! grep -q 'GUEST job [^0]' "$out/serial.log" || state="$state (and its job failed)"
		[ "$state $reason" = "$(jq -r '"\(.state) \(.reason)"' "$out/explain.json")" ] || state="$state (not what the verifier has)"
		;;
	1) state=no-start ;;
	*) state=timeout ;;
	esac
	[ -s "$out/words" ] || tail -n 20 "$out/serial.log" | tr -cd '[:print:]\n' >"$out/words"
	afterwards "$1" "$2" "$4" "$ref" >>"$LAB/admin.log" 2>&1 || state="$state (and what follows failed)"
}

judge() {  # <row> <machine> <disk> <how> <state> <reason> <words>
	local state reason=- ref='' started=$SECONDS seen
	run_row "$1" "$2" "$3" "$4"
	seen="$state $reason $(tr -s '[:space:]' ' ' <"$KEPT/$1/words")"
	printf '%-16s %s %s (%d s)' "$1" "$state" "$reason" $((SECONDS - started))
	# shellcheck disable=SC2254  # patterns are meant
	case $seen in
	"$5 $6 "*$7*) passed=$((passed + 1)); echo ;;
	*)
		failed=$((failed + 1))
		printf '  NOT OK\n  wanted: %s %s, with the words: %s\n' "$5" "$6" "$7"
		sed 's/^/  | /' "$KEPT/$1/words"
		;;
	esac
}

# --- all of it

[ -n "$(chosen)" ] || { echo "no such group or row in $TABLE: $*"; exit 2; }

finish() {
	vm_off
	close_group
	rm -rf "$TOP"
	echo "$passed passed, $failed failed"
}

# A network of its own: loopback alone, with the verifier on it, and QEMU's own network behind that.
if [ -z "${VM_ALONE:-}" ]; then
	mkdir -p "$WORK"
	# shellcheck disable=SC2046  # a list of words
	top_srcdir=$SOURCE top_builddir=$BUILD "$SOURCE/tests/vm/build.sh" "$WORK" $(chosen | cut -d' ' -f3 | sort -u) >"$WORK/build.log" 2>&1
	case $? in
	0) ;;
	77) grep SKIP "$WORK/build.log"; exit 77 ;;
	*) tail "$WORK/build.log"; exit 1 ;;
	esac
	VM_ALONE=1 exec unshare -n "$0" "$@"
fi
ip link set lo up
mkdir -p "$KEPT"
TOP=$(mktemp -d)
LAB=$TOP
trap finish EXIT
while read -r name machine disk how state reason words; do
	of=$(group_of "$machine")
	if [ "$of" != "$group" ]; then
		close_group
		open_group "$of" || { failed=1; tail "$LAB"/*.log; exit 1; }
	fi
	judge "$name" "$machine" "$disk" "$how" "$state" "$reason" "$words" </dev/null
done < <(chosen | sed 's/  */ /g')
[ $failed = 0 ]
