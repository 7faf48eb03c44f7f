# shellcheck shell=bash
# Sourced after common.sh by scripts that run a network of their own.

network_dir=
network_pid=
frozen=()

# start_network [ARGUMENTS OF hotpot up]: a fresh network in a folder of its own; stopped and deleted at exit.
start_network() {
    network_dir=$(mktemp --directory)
    trap stop_network EXIT
    trap 'exit 130' INT TERM
    resume_network "$@"
}

# resume_network [ARGUMENTS OF hotpot up]: starts the network of the folder, for the first time or again.
resume_network() {
    HOTPOT=${HOTPOT:-$TARGET/debug/hotpot}
    # A process group of its own: Ctrl-C stops it through stop_network, once.
    setsid "$HOTPOT" up --data-dir "$network_dir/net" --free-ports --json "$@" \
        > "$network_dir/out.jsonl" 2> "$network_dir/err" &
    network_pid=$!
    until [ -s "$network_dir/net/network.json" ]; do
        kill -0 "$network_pid" 2> /dev/null || die "hotpot up ended: $(tail --lines=3 "$network_dir/err")"
        sleep 0.2
    done
}

# network_json [OPTIONS OF jq] FILTER
network_json() { jq --raw-output "$@" "$network_dir/net/network.json"; }

# pause_network: stops it and keeps its folder.
pause_network() {
    [ ${#frozen[@]} = 0 ] || kill -CONT "${frozen[@]}" 2> /dev/null || true
    frozen=()
    kill -INT "$network_pid" 2> /dev/null || true
    wait "$network_pid" || true
    network_pid=
    rm --force "$network_dir/net/network.json"
}

stop_network() {
    trap - EXIT
    [ -z "$network_pid" ] || pause_network
    [ -n "$network_dir" ] || return 0
    rm --recursive --force "$network_dir"
}

# Name and process id of everything that runs in the network; programs that are not ours have children.
network_processes() {
    network_json '(.nodes | to_entries[] | "node-\(.key) \(.value.pid)"),
        (to_entries[] | select(.value | type == "object" and has("pid")) | "\(.key) \(.value.pid)")'
}

# Stops everything but the validators for a while (SIGSTOP): what they can do alone. stop_network lets it go on.
freeze_all_but_nodes() {
    local name pid
    while read -r name pid; do
        case $name in
        node-*) ;;
        *) mapfile -t -O ${#frozen[@]} frozen < <(
            echo "$pid"
            ps --no-headers --format pid --ppid "$pid" | tr -d ' '
        ) ;;
        esac
    done < <(network_processes)
    # A backend of PostgreSQL may have ended meanwhile.
    kill -STOP "${frozen[@]}" 2> /dev/null || true
}

# cpu_ticks PID: CPU time of a process and its children, in hundredths of a second.
cpu_ticks() {
    cat /proc/[0-9]*/stat 2> /dev/null | awk -v root="$1" '
        { sub(/\(.*\)/, "x"); if ($1 == root || $4 == root) sum += $14 + $15 } END { print sum + 0 }'
}
