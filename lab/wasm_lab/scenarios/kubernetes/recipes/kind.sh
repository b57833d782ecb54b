#!/bin/sh
# A cluster on a laptop whose node runs Wasm: kind, with runwasi's shim for Wasmtime.
#
# It needs docker, kind (0.27 or later), kubectl, and the shim: "Installation" in the documents of
# containerd/runwasi says how to get containerd-shim-wasmtime-v1. It must be one for Linux, also on macOS.
#
#   wasm-lab kube recipe kind > wasm-kind.sh
#   SHIM=/usr/local/bin/containerd-shim-wasmtime-v1 sh wasm-kind.sh
#
# Remove all of it with: kind delete cluster --name wasm
set -eu

SHIM=${SHIM:-/usr/local/bin/containerd-shim-wasmtime-v1}
if [ ! -x "$SHIM" ]; then
    echo "$SHIM is not there. SHIM names the shim, which is mounted into the node." >&2
    exit 1
fi

# The node's containerd learns a runtime named "wasmtime". Its configuration has version 2 in today's nodes and
# version 3 in those to come, which name the same part differently: containerd passes over the other.
kind create cluster --name wasm --config - <<CONFIG
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraMounts:
  - hostPath: $SHIM
    containerPath: /usr/local/bin/containerd-shim-wasmtime-v1
    readOnly: true
containerdConfigPatches:
- |-
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.wasmtime]
    runtime_type = "io.containerd.wasmtime.v1"
- |-
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.wasmtime]
    runtime_type = "io.containerd.wasmtime.v1"
CONFIG

# Pods choose that runtime by a RuntimeClass whose handler has the runtime's name.
kubectl --context kind-wasm apply -f - <<'CLASS'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: wasmtime
handler: wasmtime
CLASS

cat <<'NEXT'
Now, with an image of your own:

  wasm-lab container build hello.wasm -t localhost/hello:1 -o hello.tar
  kind load image-archive hello.tar --name wasm
  wasm-lab kube render localhost/hello:1 --way runwasi --port 0 --out hello.yaml
  wasm-lab kube apply hello.yaml --context kind-wasm
NEXT
