#!/usr/bin/env bash
# The main job on real footage, from nothing: install, build, ingest, train, make frames that were never shot, accept, publish.
#   examples/demo.sh [FOOTAGE] [--minutes M] [--project DIR] [--frames LIST]
# FOOTAGE: a movie, an image sequence ("shot.%04d.exr") or a folder of one; default: the clip in Debian's opencv-doc.
# Frames that exist are hidden and made again, so that the result can be measured against what the camera saw.
set -euo pipefail
cd "$(dirname "$0")/.."
footage= minutes=2 project=demo frames=
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=$2; shift ;;
    --project) project=$2; shift ;;
    --frames) frames=$2; shift ;;
    -h|--help) sed -n '2,5s/^# \?//p' "$0"; exit 0 ;;
    *) footage=$1 ;;
  esac
  shift
done
case $footage in ''|/*) ;; *) footage=$(realpath -s "$footage") ;; esac

if [ -z "$footage" ]; then
  INTERPOS_PACKAGES=opencv-doc ./setup.sh
  footage=/usr/share/doc/opencv-doc/examples/data/vtest.avi
  if [ ! -e "$footage" ]; then # slim images leave /usr/share/doc out when they install packages
    footage=$PWD/build/opencv-doc/vtest.avi
    [ -e "$footage" ] || (mkdir -p build/opencv-doc && cd build/opencv-doc && apt-get download -qq opencv-doc &&
      dpkg-deb --fsys-tarfile opencv-doc_*.deb | tar -xO --wildcards '*/data/vtest.avi' >vtest.avi)
  fi
else
  ./setup.sh
fi
interpos=build/examples/interpos/interpos

[ -d "$project" ] || "$interpos" init "$project"
echo "== ingest: $footage"
rate=()
"$interpos" info "$footage" --json | grep -q '"rate"' || rate=(--fps 24)
"$interpos" ingest "$project" "$footage" --clip demo "${rate[@]}" --encoding "${INTERPOS_ENCODING:-rec709}" --owner "demo" \
  --licence "own measurement" --training allowed
"$interpos" clips "$project"

if [ -z "$frames" ]; then # five frames, every second one, two thirds into the clip
  read -r first last < <("$interpos" clips "$project" --json | tr -d ' \n' | sed 's/.*"first":\(-\?[0-9]*\).*"last":\(-\?[0-9]*\).*/\1 \2/')
  middle=$((first + (last - first) * 2 / 3))
  frames="$middle-$((middle + 8))x2"
fi

echo "== train: $minutes minutes on this clip alone"
if ! "$interpos" models "$project" | grep -q '^demo .*ready'; then
  "$interpos" train "$project" --for inbetween --model demo --clips demo --minutes "$minutes" --resume
fi
"$interpos" card "$project" demo

echo "== render: frames $frames are hidden and made again"
"$interpos" render "$project" --operation inbetween --clip demo --frames "$frames" --model demo
"$interpos" options "$project"
best=$("$interpos" options "$project" --json | tr -d ' \n' | grep -o '"request":"[^"]*"\|"id":"o[0-9]*"\|"rank":[0-9]*' >/dev/null;
  "$interpos" options "$project" --best)
"$interpos" accept "$project" "$best" --by "demo" --note "first of the list"
"$interpos" publish "$project" "$best" "$project/published"
"$interpos" verify "$project"
echo
echo "pictures:   $project/published (full size), contact sheets: $project/options/*/sheet.png"
echo "what next:  $interpos options $project        what was offered, with scores"
echo "            $interpos card $project demo      what the model was trained on and how it scored on held-out shots"
echo "            $interpos --help                  and examples/demo.sh YOUR_FOOTAGE"
