"""PyTorch's side of the comparison: pytorch.mjs starts it and sends one JSON object per line.

  {"prepare": task, "graphs": bool}   builds the task on the GPU, or on the CPU without one
  {"run": n}                          runs it n times and waits
  {"outputs": true}                   answers with the outputs; of a training step after exactly one step

Matmuls and convolutions are in full single precision, as padagrad's. With `graphs` a run replays one CUDA graph.
"""

import base64
import json
import sys

import torch
from torch import nn
from torch.nn import functional as F

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True

TYPES = {"f32": torch.float32, "i32": torch.int32, "u8": torch.uint8}


def tensor(value):
    data = torch.frombuffer(bytearray(base64.b64decode(value["data"])), dtype=TYPES[value["type"]])
    return data.reshape(value["shape"]).to(DEVICE)


def text(value):
    return base64.b64encode(bytes(value.detach().float().cpu().contiguous().flatten().view(torch.uint8).tolist())).decode()


def wait():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


class PlainCnn(nn.Sequential):
    """The network of bench/cnn.ts."""

    def __init__(self):
        super().__init__(
            *(nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 10)),
        )


class SmallCnn(nn.Module):
    """The network that PADA adapts."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            *(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        )
        self.bottleneck = nn.Sequential(nn.Linear(512, 128), nn.BatchNorm1d(128), nn.ReLU())
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        features = self.bottleneck(self.backbone(x))
        return self.head(features), features


class Pada(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = SmallCnn()
        layer = lambda: (nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU())
        self.discriminator = nn.Sequential(*layer(), *layer(), nn.Sequential(nn.Linear(128, 1), nn.Sigmoid()))


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, coefficient):
        ctx.coefficient = coefficient
        return x.view_as(x)

    @staticmethod
    def backward(ctx, dy):
        return -ctx.coefficient * dy, None


class Work:
    """A task: `step` is what is timed, `outputs` what is compared."""

    module = None
    optimizer = None

    def __init__(self, inputs):
        self.inputs = inputs
        self.y = None

    def outputs(self):
        return {"y": self.y}

    def load(self, module, parameters, **options):
        self.module = module.to(DEVICE)
        self.module.load_state_dict(parameters, strict=False)
        self.optimizer = torch.optim.SGD(self.module.parameters(), **options)


class Matmul(Work):
    def step(self):
        self.y = self.inputs["a"] @ self.inputs["b"]


class SoftmaxColumnMean(Work):
    def step(self):
        self.y = F.softmax(self.inputs["x"], 1).mean(0)


class CnnForward(Work):
    def __init__(self, inputs):
        super().__init__(inputs)
        self.load(PlainCnn(), {name: value for name, value in inputs.items() if "." in name}, lr=0)

    @torch.no_grad()
    def step(self):
        self.y = self.module(self.inputs["x"])

    def outputs(self):
        return {"logits": self.y}


class CnnStep(CnnForward):
    def __init__(self, inputs, lr, momentum):
        Work.__init__(self, inputs)
        self.load(PlainCnn(), {name: value for name, value in inputs.items() if "." in name}, lr=lr, momentum=momentum)
        self.labels = inputs["labels"].long()

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss = F.cross_entropy(self.module(self.inputs["x"]), self.labels)
        self.loss.backward()
        self.optimizer.step()

    def outputs(self):
        return {"loss": self.loss, **{name: p.grad for name, p in self.module.named_parameters()}}


class PadaStep(Work):
    """An iteration as TLlib's example runs it, with both data sets on the GPU and metrics that nobody waits for."""

    def __init__(self, inputs, batch, coefficient, tradeOff, **options):
        super().__init__(inputs)
        names = ("model.", "discriminator.")
        self.load(Pada(), {n: v for n, v in inputs.items() if n.startswith(names)}, nesterov=True, **options)
        self.batch, self.coefficient, self.trade_off = batch, coefficient, tradeOff
        self.labels = inputs["labels"].long()
        self.chosen = torch.arange(batch, device=DEVICE)
        self.domains = torch.cat([torch.ones(batch, 1), torch.zeros(batch, 1)]).to(DEVICE)

    def step(self):
        n, chosen, class_weight = self.batch, self.chosen, self.inputs["classWeight"]
        x = torch.cat([self.inputs["source"][chosen], self.inputs["target"][chosen]])
        x = (x.float() / 127.5 - 1).reshape(2 * n, 1, 28, 28)
        labels = self.labels[chosen]
        self.optimizer.zero_grad(set_to_none=True)
        logits, features = self.module.model(x)
        class_loss = F.cross_entropy(logits[:n], labels, class_weight)
        p = self.module.discriminator(Reverse.apply(features, self.coefficient))
        of_source = class_weight[labels].unsqueeze(1)
        weights = torch.cat([of_source, of_source.mean().expand(n, 1)])
        transfer_loss = F.binary_cross_entropy(p, self.domains, weights)
        (class_loss + self.trade_off * transfer_loss).backward()
        self.optimizer.step()
        right = (logits[:n].argmax(1) == labels).float().mean()
        self.metrics = [class_loss.detach(), transfer_loss.detach(), right, ((p > 0.5) == self.domains).float().mean()]
        self.chosen += n
        self.chosen %= len(self.inputs["target"])

    def outputs(self):
        """Momenta after one step: the gradients with weight decay. Weight and bias of a layer together."""
        layers = {}
        for name, parameter in self.module.named_parameters():
            momentum = self.optimizer.state[parameter]["momentum_buffer"]
            layers.setdefault(name.rpartition(".")[0], []).append(momentum.flatten())
        return {name: torch.cat(parts) for name, parts in layers.items()}


WORKS = {
    "matmul": Matmul,
    "softmax-column-mean": SoftmaxColumnMean,
    "cnn-forward": CnnForward,
    "cnn-step": CnnStep,
    "pada-step": PadaStep,
}


def graph_of(work):
    """Captures a step, and restores what the steps before it changed."""
    module = work.module
    before = {name: value.clone() for name, value in module.state_dict().items()} if module else {}
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            work.step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work.step()
    if module:
        module.load_state_dict(before)
        for state in work.optimizer.state.values():
            for value in state.values():
                if value is not None:
                    value.zero_()
    if isinstance(work, PadaStep):
        work.chosen.copy_(torch.arange(work.batch, device=DEVICE))
    return graph.replay


def main():
    run = work = None
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {}
        if "prepare" in asked:
            task = asked["prepare"]
            inputs = {name: tensor(value) for name, value in task["inputs"].items()}
            work = WORKS[task["bench"]](inputs, **task["settings"])
            run = graph_of(work) if asked["graphs"] else work.step
        elif "run" in asked:
            for _ in range(asked["run"]):
                run()
            wait()
        elif "outputs" in asked:
            answer = {name: text(value) for name, value in work.outputs().items()}
        print(json.dumps(answer), flush=True)


print(json.dumps({"version": torch.__version__, "cuda": DEVICE.type == "cuda"}), flush=True)
main()
