#!/bin/bash
# verifierd's listener as a stranger finds it: TLS 1.3 alone, routes, limits and problems.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs curl openssl jq
. "$SOURCE/tests/integration/lab.sh"

lab_open "$(mktemp -d)"
TCTI=''
trap lab_end EXIT
lab_verifier_conf
lab_verifier_up; is "verifierd starts" $? 0
CA=$LAB/verifier/tls/ca.pem URL=https://127.0.0.1:$PORT

# ask <curl arguments>: status, then the problem's reason if there is one
ask() {
	local out status
	out=$(curl -s --cacert "$CA" -w '\n%{http_code}' "$@")
	status=${out##*$'\n'}
	printf '%s %s' "$status" "$(printf '%s' "${out%$'\n'*}" | jq -r '.reason // ""' 2>/dev/null)"
}
json=(-H 'Content-Type: application/json')

# TLS
is "TLS 1.2 is refused" "$(curl -s --cacert "$CA" --tls-max 1.2 -o /dev/null -w '%{http_code}' "$URL/healthz")" 000
is "TLS 1.3 serves" "$(curl -s --cacert "$CA" -o /dev/null -w '%{http_code}' "$URL/healthz")" 200
is "another CA does not verify it" "$(curl -s -o /dev/null -w '%{http_code}' "$URL/healthz")" 000
is "the chain shows the CA that hosts pin" \
	"$(openssl s_client -connect "127.0.0.1:$PORT" -showcerts </dev/null 2>/dev/null | grep -c 'BEGIN CERT')" 2
is "plain HTTP gets nothing" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/healthz")" 000

# Routes
is "unknown path" "$(ask "$URL/v1/nothing")" "404 request-invalid"
is "row 32: administration is not for hosts" "$(ask "$URL/v1/admin/hosts")" "404 request-invalid"
is "row 32: approval is not for hosts" "$(ask -X POST "${json[@]}" -d '{}' "$URL/v1/admin/hosts/web7/approve")" "404 request-invalid"
is "other method" "$(ask "$URL/v1/challenges")" "405 request-invalid"
is "keys" "$(curl -s --cacert "$CA" "$URL/.well-known/jwks.json" | jq -r '.keys[0].crv')" P-256

# Bodies
is "not JSON" "$(ask "${json[@]}" -d '{' "$URL/v1/challenges")" "400 request-invalid"
is "member missing" "$(ask "${json[@]}" -d '{}' "$URL/v1/challenges")" "400 request-invalid"
is "wrong content type" "$(ask -H 'Content-Type: text/plain' -d '{}' "$URL/v1/challenges")" "415 request-invalid"
is "evidence that is none" "$(ask -H 'Content-Type: application/vnd.pam-attest.evidence' -d 'x' "$URL/v1/evidence")" "400 request-invalid"
head -c 300000 /dev/zero | tr '\0' ' ' >"$LAB/large"
is "JSON over its limit" "$(ask "${json[@]}" --data-binary "@$LAB/large" "$URL/v1/challenges")" "413 request-invalid"
head -c 9000000 /dev/zero >"$LAB/larger"
# The refusal comes before the body has ended; whether the client still reads it is a race.
is "a body over 8 MiB" "$(curl -s --cacert "$CA" -o /dev/null -w '%{http_code}' -H 'Expect:' \
	-H 'Content-Type: application/vnd.pam-attest.evidence' --data-binary "@$LAB/larger" "$URL/v1/evidence" | sed s/413/000/)" 000
ak=$(printf '\000\013%032d' 0 | base64 | tr '+/' '-_' | tr -d '=')
zero=$(head -c 32 /dev/zero | base64 | tr '+/' '-_' | tr -d '=')
is "row 7: an unknown AK gets no challenge" "$(ask "${json[@]}" \
	-d "{\"ak_name\":\"$ak\",\"boot_id\":\"$(cat /proc/sys/kernel/random/uuid)\",\"boot_log\":\"$zero\",\"boot_log_length\":0,\"ima_count\":0}" \
	"$URL/v1/challenges" | sed 's/.* //')" not-enrolled
is "a bearer is asked for" "$(ask "$URL/v1/enrollments/x")" "401 token-invalid"
is "a wrong bearer" "$(ask -H "Authorization: Bearer $zero" "$URL/v1/enrollments/$(cat /proc/sys/kernel/random/uuid)" | cut -c1)" 4

# Row 13: names that would be something else to a careless program.
for name in "x'; DROP TABLE hosts;--" '%' 'a"b' '../../etc/passwd' "$(printf 'a\360\237\222\251')" "$(head -c 70000 /dev/zero | tr '\0' a)"; do
	body=$(jq -nc --arg n "$name" '{name:$n,ek_public:"AA",ek_cert:"AA",chain:[],ak_public:"AA",banks:["sha256"]}')
	printf '%s' "$body" >"$LAB/body"
	case $(ask "${json[@]}" --data-binary "@$LAB/body" "$URL/v1/enrollments") in
	4??" "*) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)); echo "NOT OK: row 13: name ${name:0:30}" ;;
	esac
done
is "row 13: and the store is as it was" "$(verifierctl hosts --json | jq '.hosts | length')" 0

# TCP_NODELAY: two requests on one connection; a delayed ACK between them would cost 40 ms.
ms=$(curl -s --cacert "$CA" -o /dev/null -o /dev/null -w '%{time_total}\n' "${json[@]}" -d '{}' "$URL/v1/challenges" \
	--next -s --cacert "$CA" -w '%{time_total}\n' "${json[@]}" -d '{}' -o /dev/null "$URL/v1/challenges" | tail -n 1 | awk '{ print int($1 * 1000) }')
is "the second request is not held back" "$([ "$ms" -lt 30 ] && echo yes || echo "$ms ms")" yes

# A client that hangs up early, and garbage instead of TLS, cost nobody else anything.
printf 'garbage\n' | timeout 1 openssl s_client -connect "127.0.0.1:$PORT" -quiet >/dev/null 2>&1
(exec 3<>"/dev/tcp/127.0.0.1/$PORT" && printf 'GET / HTTP/1.0\r\n\r\n' >&3) 2>/dev/null
is "still serving" "$(ask "$URL/healthz")" "200 "

# A certificate that was renewed in its place, by the daemon's SIGHUP; then one that cannot be read.
subject() { openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>/dev/null | openssl x509 -noout -subject 2>/dev/null; }
openssl req -new -key "$LAB/verifier/tls/server-key.pem" -subj /CN=renewed 2>/dev/null |
	openssl x509 -req -CA "$CA" -CAkey "$LAB/verifier/keys/ca-key.pem" -days 2 -out "$LAB/renewed.pem" \
		-extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
mv "$LAB/renewed.pem" "$LAB/verifier/tls/server.pem"
kill -HUP "${PIDS[verifierd]}"
wait_for 5 sh -c 'openssl s_client -connect 127.0.0.1:'"$PORT"' </dev/null 2>/dev/null | openssl x509 -noout -subject | grep -q renewed'
is "SIGHUP: the renewed certificate" "$(subject)" "subject=CN = renewed"
is "SIGHUP: hosts verify it" "$(ask "$URL/healthz")" "200 "
echo damaged >"$LAB/verifier/tls/server.pem"
kill -HUP "${PIDS[verifierd]}"
wait_for 5 grep -q 'the old certificate stays in use' "$LAB/verifierd.log"; is "SIGHUP: what cannot be read is said" $? 0
is "SIGHUP: and changes nothing" "$(subject)" "subject=CN = renewed"

# SIGTERM: nobody new comes in, what is under way is answered, and the daemon ends well.
mapfile -t parsers < <(pgrep -P "${PIDS[verifierd]}" -f verifierd-parse)
kill -STOP "${parsers[@]}"
body=$(jq -nc '{name:"late",ek_public:"AA",ek_cert:"AA",ek_chain:[],ak_public:"AA",banks:["sha256"]}')
ask "${json[@]}" -d "$body" "$URL/v1/enrollments" >"$LAB/late" & late=$!
sleep 1
main=${PIDS[verifierd]}
unset 'PIDS[verifierd]'
kill -TERM "$main"
sleep 1
is "SIGTERM: nobody new" "$(ask -m 2 "$URL/healthz")" "000 "
kill -CONT "${parsers[@]}"
wait $late
is "SIGTERM: who waits is answered" "$(cat "$LAB/late")" "403 request-invalid"
wait "$main"; is "SIGTERM: a good end" $? 0
[ $failed = 0 ]
