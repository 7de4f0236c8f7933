"""Networks that are more than a sequence of layers, in the form users write them.

Every network takes images [N,1,28,28] and returns logits [N,classes].
"""

from collections import OrderedDict

import torch
from torch import nn


class RowLSTM(nn.Module):
    """Reads an image row by row; the class follows from the output at the last row."""

    def __init__(self, classes, size=28, hidden=96, dropout=0.3):
        super().__init__()
        self.lstm = nn.LSTM(size, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, images):
        outputs, _ = self.lstm(images.squeeze(1))
        return self.fc(self.dropout(outputs[:, -1]))


class RowBiGRU(nn.Module):
    """Reads the rows down and up; the class follows from the last state of both directions."""

    def __init__(self, classes, size=28, hidden=64, dropout=0.3):
        super().__init__()
        self.gru = nn.GRU(size, hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2 * hidden, classes)

    def forward(self, images):
        _, states = self.gru(images.squeeze(1))
        return self.fc(self.dropout(torch.cat([states[0], states[1]], dim=1)))


def convolution(inputs, outputs, size=3, stride=1, groups=1, activation=nn.ReLU):
    """A convolution that keeps the image size where the stride is 1, normalized and activated."""
    layers = OrderedDict(
        conv=nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        bn=nn.BatchNorm2d(outputs),
    )
    if activation:
        layers["act"] = activation()
    return nn.Sequential(layers)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = convolution(inputs, outputs, stride=stride)
        self.second = convolution(outputs, outputs, activation=None)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.second(self.first(x)) + self.shortcut(x))


class ResNet8(nn.Module):
    """The ResNet-8 of MLPerf Tiny, for one input channel."""

    def __init__(self, classes, width=16):
        super().__init__()
        self.stem = convolution(1, width)
        self.block1 = ResidualBlock(width, width, stride=1)
        self.block2 = ResidualBlock(width, 2 * width, stride=2)
        self.block3 = ResidualBlock(2 * width, 4 * width, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, images):
        features = self.block3(self.block2(self.block1(self.stem(images))))
        return self.fc(self.pool(features).flatten(1))


class DSCNN(nn.Module):
    """The DS-CNN of MLPerf Tiny with 3x3 filters in its first layer and ReLU6: pairs of a depthwise and a 1x1
    convolution."""

    def __init__(self, classes, width=64, pairs=4):
        super().__init__()
        self.stem = convolution(1, width, stride=2, activation=nn.ReLU6)
        self.pairs = nn.Sequential(*(
            nn.Sequential(OrderedDict(
                depthwise=convolution(width, width, groups=width, activation=nn.ReLU6),
                pointwise=convolution(width, width, size=1, activation=nn.ReLU6),
            )) for _ in range(pairs)))
        self.fc = nn.Linear(width, classes)

    def forward(self, images):
        return self.fc(self.pairs(self.stem(images)).mean((2, 3)))
