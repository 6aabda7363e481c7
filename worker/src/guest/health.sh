# Asks in the guest whether the template's service works, once a second. Run as: sh -c … sh SECONDS http|tcp PORT PATH
# Ends with 0 at the first good answer; else with 75, having printed what the last try said.
left=$1 kind=$2 port=$3 path=$4

http() {
    if command -v curl >/dev/null 2>&1; then
        curl -gfsS -m 10 -o /dev/null "http://$1:$port$path"
    elif command -v wget >/dev/null 2>&1; then
        wget -T 10 -O /dev/null "http://$1:$port$path"
    elif command -v bash >/dev/null 2>&1; then
        # The variables are the inner shell's.
        # shellcheck disable=SC2016
        bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1
            printf "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" "$3" >&3
            read -r -t 10 _ status _ <&3
            case $status in [23]??) exit 0 ;; esac
            echo "it answers with status ${status:-none}"; exit 1' bash "$2" "$port" "$path"
    else
        echo 'there is neither curl nor wget nor bash to ask with'; return 1
    fi
}
tcp() {
    if command -v nc >/dev/null 2>&1 && nc -z -w5 "$2" "$port"; then return 0; fi
    if command -v bash >/dev/null 2>&1 && bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$2" "$port"; then return 0; fi
    echo "nothing takes a connection"; return 1
}

end=$(($(date +%s) + left))
while :; do
    said=''
    # What listens on its outer addresses alone works too.
    for address in 127.0.0.1 $(hostname -I 2>/dev/null); do
        case $address in *:*) host="[$address]" ;; *) host=$address ;; esac
        if out=$("$kind" "$host" "$address" 2>&1); then exit 0; fi
        said="$said$host:$port: $(printf '%s\n' "$out" | grep . | tail -n 1)
"
    done
    if [ "$(date +%s)" -ge "$end" ]; then printf '%s' "$said"; exit 75; fi
    sleep 1
done
