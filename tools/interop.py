"""Opens a padagrad model in PyTorch, and makes one there: the half in Python of `npm run interop` (tools/interop.mjs).

    python3 tools/interop.py MODEL IMAGES LOGITS FOLDER

Loads MODEL by its names, none missing and none left over, and compares its logits of the digits in IMAGES (an IDX file) with those in
LOGITS. Then writes another network, and its logits of the same digits, into FOLDER.
"""

import gzip
import json
import sys

import torch
from torch import nn

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}


class Net(nn.Module):
    """For images of 28 x 28; the names are TLlib's."""

    def __init__(self, classes):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                                      nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.bottleneck = nn.Sequential(nn.Linear(512, 128), nn.BatchNorm1d(128), nn.ReLU())
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        return self.head(self.bottleneck(self.backbone(x)))


# The package `safetensors` does this and checks it; the format is simple enough to need none: eight bytes with the length of
# the header, the header in JSON, the data.
def load_file(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(bytearray(data[begin:end]), dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def save_file(tensors, path):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        dtype = next(key for key, value in DTYPES.items() if value == tensor.dtype)
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def load_digits(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        raw = file.read()
    count = int.from_bytes(raw[4:8], "big")
    pixels = torch.frombuffer(bytearray(raw[16:]), dtype=torch.uint8).reshape(count, 1, 28, 28)
    return pixels.float() / 127.5 - 1


def main(model, images, logits, folder):
    digits, ours = load_digits(images), load_file(logits)["logits"]
    with torch.no_grad():
        net = Net(classes=ours.shape[1]).eval()
        net.load_state_dict(load_file(model))
        theirs = net(digits)
        error = (theirs - ours).abs().max()
        differ = (theirs.argmax(1) != ours.argmax(1)).sum()
        print(f"in PyTorch {torch.__version__}: {len(digits)} digits, logits up to {theirs.abs().max():.1f} differ by {error:.1e} at most, "
              f"{differ} predictions differ")
        torch.manual_seed(0)
        other = Net(classes=10).train()
        # A pass in training mode, for running statistics of its own.
        other(digits[:256])
        save_file(other.state_dict(), f"{folder}/from-torch.safetensors")
        save_file({"logits": other.eval()(digits)}, f"{folder}/torch-logits.safetensors")


main(*sys.argv[1:])
