#!/bin/bash
# What the shells offer: from the programs' own tables, asked by each real shell that is installed.
set -u
passed=0 failed=0
lab=$(mktemp -d)
trap 'rm -rf "$lab"; echo "$passed passed, $failed failed"' EXIT
for p in attestctl verifierctl; do
	ln -s "$(find "$top_builddir" -type f -name $p -perm -100 ! -path "$top_builddir/root/*" ! -path '*/completion/*' | head -n 1)" "$lab/$p"
done
PATH=$lab:$PATH
scripts=$top_builddir/deploy/completion
printf '[default]\nmode = audit\n[sshd]\nmode = enforce\n[my-vpn]\nmode = audit\n[my-$(id) my-`id` my-;id my-|id]\nmode = audit\n' >"$lab/gate.conf"
: >"$lab/file-here"
cd "$lab" || exit 1

is() { if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "NOT OK: $1: '$2', wanted '$3'"; fi; }
has() { if grep -qxF -- "$3" <<<"$2"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "NOT OK: $1: no $3 in: ${2//$'\n'/ }"; fi; }

# --- the programs
words() { "$@" 2>/dev/null | cut -f 1; }
is "a command" "$(words attestctl complete is-)" is-attested
has "all of them" "$(words attestctl complete '')" doctor
is "an option" "$(words attestctl complete check --ph)" --phase
is "its value" "$(words attestctl complete check --phase ac)" account
is "a service of gate.conf" "$(words attestctl complete -c "$lab/gate.conf" config my)" my-vpn
is "the second word" "$(words attestctl complete rescue test roo)" root
is "a global option's value" "$(words attestctl complete --color al)" always
attestctl complete enroll --ca '' >/dev/null; is "a file is wanted" $? 1
attestctl complete enroll --url '' >/dev/null; is "nothing is known" $? 0
is "verifierctl: a form" "$(words verifierctl complete references cap)" capture
is "verifierctl: an option of that form" "$(words verifierctl complete references capture h --rep)" --report
is "verifierctl: and of no other" "$(words verifierctl complete references retire n --rep)" ""
is "verifierctl: words of a list" "$(words verifierctl complete ceiling off --reason r au)" ""
is "verifierctl: its first word" "$(words verifierctl complete ceiling au)" audit
verifierctl complete inspect eventlog '' >/dev/null; is "verifierctl: a file" $? 1
# Whatever the verifier does, a key press is answered soon: here nobody listens, then somebody who never answers.
is "verifierctl: hosts without a verifier" "$(words verifierctl complete --socket "$lab/none" show '')" ""

# Every command's completion ends in its table, and does nothing else: it says its options, whatever stands behind it.
for p in attestctl verifierctl; do
	for c in $("$p" complete '' | cut -f 1); do
		has "$p $c --" "$(words "$p" complete "$c" --)" --help
	done
done
[ "$(attestctl complete '' | wc -l)" -gt 10 ] && [ "$(verifierctl complete '' | wc -l)" -gt 10 ]; is "many commands" $? 0

# --- bash
bash_offers() {
	bash --norc -c '. "$1/$2"; COMP_WORDS=("${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "_$2" "$2"; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$scripts" "$@" 2>/dev/null
}
is "bash" "$(bash_offers attestctl is-)" is-attested
is "bash: verifierctl" "$(bash_offers verifierctl references cap)" capture
grep -q 'complete -F _attestctl attestctl' "$scripts/attestctl"; is "bash: is told" $? 0

# --- fish: as if Tab was pressed
if command -v fish >/dev/null; then
	fish_offers() { HOME=$lab fish --no-config -c "source $scripts/${1%% *}.fish; complete -C '$1'" 2>/dev/null | cut -f 1; }
	is "fish" "$(fish_offers 'attestctl is-')" is-attested
	is "fish: verifierctl" "$(fish_offers 'verifierctl references cap')" capture
	has "fish: all" "$(fish_offers 'attestctl ')" doctor
	has "fish: a file" "$(fish_offers 'attestctl enroll --ca fil')" file-here
	is "fish: no file" "$(fish_offers 'attestctl fil')" ""
else
	echo "no fish here: not tried"
fi

# --- zsh
if command -v zsh >/dev/null; then
	mkdir "$lab/functions"
	cp "$scripts/_attestctl" "$scripts/_verifierctl" "$lab/functions/"
	# Its functions for showing only print what they are given.
	zsh_offers() {
		zsh -f -c '
			fpath=($1 $fpath)
			shift
			_files() { print -r -- FILES }
			_describe() { local -a all; all=("${(@P)4:-${(@P)3}}"); print -rl -- "${all[@]%%:*}" }
			words=("$@") CURRENT=$#
			autoload -Uz _$1
			_$1' zsh "$lab/functions" "$@" 2>/dev/null
	}
	is "zsh" "$(zsh_offers attestctl is-)" is-attested
	is "zsh: verifierctl" "$(zsh_offers verifierctl references cap)" capture
	is "zsh: a file" "$(zsh_offers attestctl enroll --ca '')" FILES
else
	echo "no zsh here: not tried"
fi
[ $failed = 0 ]
