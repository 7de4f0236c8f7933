"""The published layer shapes of networks, as functions that build a graph.

Each function's comment names its source. Networks end in logits, without softmax and without dropout; auxiliary
classifiers are left out.
"""

import numpy as np

# Network -> (function, input shape, outputs, weights of matrices: those of the source, without biases).
NETWORKS = {}


def network(name, shape, outputs, weights):
    def add(build):
        NETWORKS[name] = (build, shape, outputs, weights)
        return build
    return add


def lrn(g, x, name, lrns):
    """Local response normalization over 5 channels with the constants of Caffe's models; left out without `lrns`."""
    return g.node("LRN", name, [x], size=5, alpha=1e-4, beta=0.75, bias=1.0) if lrns else x


def classifier(g, x, sizes):
    """Fully connected layers fc6, fc7, fc8 behind a feature map of sizes[0] values."""
    x = g.node("Flatten", "flatten", [x], sizes[0])
    for number, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]), start=6):
        if number > 6:
            x = g.relu(x, f"relu{number - 1}")
        last = number == 4 + len(sizes)
        x = g.gemm(x, f"fc{number}", inputs, outputs, gain=1.0 if last else 2.0, output="logits" if last else None)
    return x


def alexnet_features(g, x, lrns, pool_first):
    def stage(x, number):
        steps = [lambda x: g.max_pool(x, f"pool{number}", 3, 2), lambda x: lrn(g, x, f"norm{number}", lrns)]
        for step in steps if pool_first else reversed(steps):
            x = step(x)
        return x

    x = stage(g.relu(g.conv(x, "conv1", 96, 11, stride=4), "relu1"), 1)
    x = stage(g.relu(g.conv(x, "conv2", 256, 5, pad=2, groups=2), "relu2"), 2)
    x = g.relu(g.conv(x, "conv3", 384, 3, pad=1), "relu3")
    x = g.relu(g.conv(x, "conv4", 384, 3, pad=1, groups=2), "relu4")
    x = g.relu(g.conv(x, "conv5", 256, 3, pad=1, groups=2), "relu5")
    return g.max_pool(x, "pool5", 3, 2)


# Krizhevsky, Sutskever, Hinton, NeurIPS 2012, with the input of 227 x 227 that its sizes imply.
@network("alexnet", (3, 227, 227), 1000, 60_954_656)
def alexnet(g, x, lrns):
    return classifier(g, alexnet_features(g, x, lrns, pool_first=False), [9216, 4096, 4096, 1000])


# BVLC CaffeNet (Jia et al., MM 2014): AlexNet with pooling before normalization.
@network("caffenet", (3, 227, 227), 1000, 60_954_656)
def caffenet(g, x, lrns):
    return classifier(g, alexnet_features(g, x, lrns, pool_first=True), [9216, 4096, 4096, 1000])


# Simonyan, Zisserman, ICLR 2015, table 1, configuration D.
@network("vgg16", (3, 224, 224), 1000, 138_344_128)
def vgg16(g, x, lrns):
    for block, (channels, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)], start=1):
        for k in range(1, count + 1):
            x = g.relu(g.conv(x, f"conv{block}_{k}", channels, 3, pad=1), f"relu{block}_{k}")
        x = g.max_pool(x, f"pool{block}", 2, 2)
    return classifier(g, x, [25088, 4096, 4096, 1000])


BRANCH_SCALE = 0.5  # of the last normalization of a residual branch, so that sums of branches grow slowly


def residual(g, x, name, steps, shortcut):
    """A residual block: convolutions (outputs, kernel, stride), each normalized, added to `shortcut(x)`."""
    y = x
    for k, (outputs, kernel, stride) in enumerate(steps, start=1):
        last = k == len(steps)
        y = g.conv(y, f"{name}.conv{k}", outputs, kernel, stride, kernel // 2, gain=1.0 if last else 2.0, biased=False)
        y = g.norm(y, f"{name}.norm{k}", BRANCH_SCALE if last else 1.0)
        y = y if last else g.relu(y, f"{name}.relu{k}")
    return g.relu(g.node("Add", f"{name}.add", [y, shortcut(x)]), f"{name}.relu")


def projection(g, name, outputs, stride):
    """Shortcut of option B: a convolution of 1 x 1 where the shape changes."""
    def apply(x):
        if g.channels[x] == outputs and stride == 1:
            return x
        y = g.conv(x, f"{name}.project", outputs, 1, stride, gain=1.0, biased=False)
        return g.norm(y, f"{name}.project.norm")
    return apply


def zero_padding(g, name, outputs, stride):
    """Shortcut of option A: every second value, and channels of zeros."""
    def apply(x):
        more = outputs - g.channels[x]
        if more == 0 and stride == 1:
            return x
        y = g.max_pool(x, f"{name}.stride", 1, stride)
        pads = g.constant(f"{name}.pads", np.array([0, more // 2, 0, 0, 0, more - more // 2, 0, 0], np.int64))
        return g.node("Pad", f"{name}.pad", [y, pads], outputs)
    return apply


def head(g, x, channels, outputs):
    x = g.node("GlobalAveragePool", "pool", [x])
    x = g.node("Flatten", "flatten", [x])
    return g.gemm(x, "fc", channels, outputs, gain=1.0, output="logits")


def resnet_imagenet(g, x, counts, bottleneck):
    x = g.relu(g.norm(g.conv(x, "conv1", 64, 7, stride=2, pad=3, biased=False), "norm1"), "relu1")
    x = g.max_pool(x, "pool1", 3, 2, (1, 1, 1, 1))
    for stage, count in enumerate(counts):
        width = 64 << stage
        for k in range(count):
            name, stride = f"conv{stage + 2}_{k + 1}", 2 if stage > 0 and k == 0 else 1
            outputs = 4 * width if bottleneck else width
            steps = [(width, 1, stride), (width, 3, 1), (outputs, 1, 1)] if bottleneck else [(width, 3, stride), (width, 3, 1)]
            x = residual(g, x, name, steps, projection(g, name, outputs, stride))
    return head(g, x, 2048 if bottleneck else 512, 1000)


# He, Zhang, Ren, Sun, CVPR 2016, table 1, option B; the first convolution of a bottleneck has the stride.
@network("resnet18", (3, 224, 224), 1000, 11_678_912)
def resnet18(g, x, lrns):
    return resnet_imagenet(g, x, (2, 2, 2, 2), bottleneck=False)


@network("resnet50", (3, 224, 224), 1000, 25_502_912)
def resnet50(g, x, lrns):
    return resnet_imagenet(g, x, (3, 4, 6, 3), bottleneck=True)


# The same, section 4.2, n = 3, for CIFAR-10, option A.
@network("resnet20", (3, 32, 32), 10, 268_336)
def resnet20(g, x, lrns):
    x = g.relu(g.norm(g.conv(x, "conv1", 16, 3, pad=1, biased=False), "norm1"), "relu1")
    for stage in range(3):
        width = 16 << stage
        for k in range(3):
            name, stride = f"conv{stage + 2}_{k + 1}", 2 if stage > 0 and k == 0 else 1
            x = residual(g, x, name, [(width, 3, stride), (width, 3, 1)], zero_padding(g, name, width, stride))
    return head(g, x, 64, 10)


# Szegedy et al., CVPR 2015, table 1: 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, pooled.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}


def inception(g, x, name, sizes):
    def unit(x, part, outputs, kernel):
        return g.relu(g.conv(x, f"{name}.{part}", outputs, kernel, pad=kernel // 2), f"{name}.{part}.relu")

    one, reduce3, three, reduce5, five, pooled = sizes
    parts = [
        unit(x, "1x1", one, 1), unit(unit(x, "3x3_reduce", reduce3, 1), "3x3", three, 3),
        unit(unit(x, "5x5_reduce", reduce5, 1), "5x5", five, 5),
        unit(g.max_pool(x, f"{name}.pool", 3, 1, (1, 1, 1, 1)), "pool_proj", pooled, 1),
    ]
    return g.node("Concat", f"{name}.concat", parts, one + three + five + pooled, axis=1)


@network("googlenet", (3, 224, 224), 1000, 6_990_272)
def googlenet(g, x, lrns):
    # Pools end one value behind the image where the sizes of the table want it.
    behind = (0, 0, 1, 1)
    x = g.relu(g.conv(x, "conv1", 64, 7, stride=2, pad=3), "relu1")
    x = lrn(g, g.max_pool(x, "pool1", 3, 2, behind), "norm1", lrns)
    x = g.relu(g.conv(x, "conv2_reduce", 64, 1), "relu2_reduce")
    x = lrn(g, g.relu(g.conv(x, "conv2", 192, 3, pad=1), "relu2"), "norm2", lrns)
    x = g.max_pool(x, "pool2", 3, 2, behind)
    for name, sizes in INCEPTIONS.items():
        x = inception(g, x, f"inception{name}", sizes)
        if name in ("3b", "4e"):
            x = g.max_pool(x, f"pool{name[0]}", 3, 2, behind)
    return head(g, x, 1024, 1000)


# Iandola et al., arXiv:1602.07360, in the form 1.1 that its authors published later: smaller kernels, earlier pools.
FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}


def fire(g, x, name, squeeze, expand):
    """A fire module: a 1x1 convolution to `squeeze` channels, then 1x1 and 3x3 ones to `expand` channels each, joined."""
    def unit(x, part, outputs, kernel):
        return g.relu(g.conv(x, f"{name}.{part}", outputs, kernel, pad=kernel // 2), f"{name}.{part}.relu")

    x = unit(x, "squeeze1x1", squeeze, 1)
    parts = [unit(x, "expand1x1", expand, 1), unit(x, "expand3x3", expand, 3)]
    return g.node("Concat", f"{name}.concat", parts, 2 * expand, axis=1)


@network("squeezenet", (3, 224, 224), 1000, 1_231_552)
def squeezenet(g, x, lrns):
    x = g.relu(g.conv(x, "conv1", 64, 3, stride=2), "relu1")
    for number, sizes in FIRES.items():
        if number in (2, 4, 6):
            x = g.max_pool(x, f"pool{number // 2}", 3, 2)
        x = fire(g, x, f"fire{number}", *sizes)
    x = g.relu(g.conv(x, "conv10", 1000, 1), "relu10")
    x = g.node("GlobalAveragePool", "pool10", [x], 1000)
    return g.node("Flatten", "flatten", [x], 1000, output="logits")


# Graves, Mohamed, Hinton, ICASSP 2013, "CTC-5l-250h": five bidirectional layers of 250 cells with peepholes, 123 inputs
# for each frame, 61 phonemes and a blank; table 1 counts 6.8 M weights, biases and peepholes included.
@network("lstm5", (100, 123), 62, 6_777_000)
def lstm5(g, x, lrns):
    cells, inputs = 250, 123
    x = g.node("Transpose", "time_first", [x], inputs, perm=[1, 0, 2])
    shape = g.constant("joined", np.array([0, 0, 2 * cells], np.int64))
    for number in range(1, 6):
        x = lstm(g, x, f"lstm{number}", inputs, cells)
        x = g.node("Transpose", f"swap{number}", [x], perm=[0, 2, 1, 3])
        x = g.node("Reshape", f"join{number}", [x, shape], 2 * cells)
        inputs = 2 * cells
    weights = g.constant("fc.weight", g.matrix("fc", inputs, 62, 1.0))
    x = g.node("MatMul", "fc", [x, weights], 62)
    x = g.node("Add", "fc.add", [x, g.constant("fc.bias", g.bias("fc", 62))], 62)
    return g.node("Transpose", "batch_first", [x], 62, output="logits", perm=[1, 0, 2])


def lstm(g, x, name, inputs, cells):
    """A bidirectional layer; the forget gates begin open."""
    def parts(key, make):
        return g.constant(f"{name}.{key}", np.stack([make(f"{name}.{key}.{way}") for way in ("forward", "reverse")]))

    def bias(part):
        values = np.zeros(8 * cells, np.float32)
        values[2 * cells:3 * cells] = 1
        return values + g.bias(part, 8 * cells)

    w = parts("W", lambda part: np.ascontiguousarray(g.matrix(part, inputs, 4 * cells, 1.0, sparsity_of=name).T))
    r = parts("R", lambda part: np.ascontiguousarray(g.matrix(part, cells, 4 * cells, 1.0, sparsity_of=name).T))
    b, p = parts("B", bias), parts("P", lambda part: g.bias(part, 3 * cells))
    return g.node("LSTM", name, [x, w, r, b, "", "", "", p], cells, hidden_size=cells, direction="bidirectional")
