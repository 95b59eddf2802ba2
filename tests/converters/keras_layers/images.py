"""Cases of convolutions, pooling, and layers on images."""

from __future__ import annotations

from typing import Any

from keras import layers

from tests.converters.keras_layers.case import (
    FREE,
    FREE_IMAGE,
    IMAGE,
    SEQUENCE,
    VOLUME,
    Case,
    below,
    one,
    pixels,
    stacked,
)

_SPACE = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area")
# Augmenting layers, all of them off at inference, with what they must be given.
_AUGMENTING: dict[str, dict[str, Any]] = {
    "AugMix": {},
    "CutMix": {},
    "MixUp": {},
    "RandAugment": {},
    "RandomBrightness": {"factor": 0.5},
    "RandomColorDegeneration": {"factor": 0.5},
    "RandomColorJitter": {"brightness_factor": 0.5, "hue_factor": 0.2},
    "RandomContrast": {"factor": 0.5},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": {"factor": 0.5},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.5},
    "RandomSharpness": {"factor": 0.5},
    # Keras does not load what it saves of a factor given as a single number.
    "RandomShear": {"x_factor": (0.1, 0.2), "y_factor": (0.1, 0.2)},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
}


def _convolutions(rank: int) -> tuple[Case, ...]:
    shape, layer = _SPACE[rank], f"Conv{rank}D"
    transpose = f"Conv{rank}DTranspose"
    return (
        one(layer, shape, filters=4, kernel_size=3),
        one(layer, shape, "same", filters=4, kernel_size=3, padding="same", activation="relu"),
        one(layer, shape, "strides", filters=4, kernel_size=3, padding="same", strides=2),
        one(layer, shape, "even kernel", filters=4, kernel_size=2, padding="same", strides=2),
        one(
            layer,
            shape,
            "dilation",
            filters=4,
            kernel_size=2,
            dilation_rate=2,
            padding="same",
            refused={"tflite": "dilated volumes"} if rank == 3 else None,
        ),
        one(layer, (*shape[:-1], 4), "groups", filters=6, kernel_size=3, groups=2),
        one(transpose, shape, filters=4, kernel_size=3),
        one(transpose, shape, "same strides", filters=4, kernel_size=3, padding="same", strides=2),
        one(
            transpose,
            shape,
            "output padding",
            filters=4,
            kernel_size=3,
            strides=2,
            output_padding=1,
        ),
        one(transpose, shape, "dilation", filters=4, kernel_size=2, dilation_rate=2),
    )


def _pooling(rank: int) -> tuple[Case, ...]:
    shape = _SPACE[rank]
    return tuple(
        case
        for kind in ("Max", "Average")
        for case in (
            one(f"{kind}Pooling{rank}D", shape, pool_size=2),
            one(f"{kind}Pooling{rank}D", shape, "same", pool_size=3, strides=2, padding="same"),
            one(f"Global{kind}Pooling{rank}D", shape),
            one(f"Global{kind}Pooling{rank}D", shape, "keep axes", keepdims=True),
            one(f"Adaptive{kind}Pooling{rank}D", shape, output_size=3),
        )
    )


def _depthwise(rank: int) -> tuple[Case, ...]:
    shape = _SPACE[rank]
    return (
        one(f"DepthwiseConv{rank}D", shape, kernel_size=3),
        one(
            f"DepthwiseConv{rank}D",
            shape,
            "multiplier",
            kernel_size=3,
            depth_multiplier=2,
            padding="same",
        ),
        one(f"DepthwiseConv{rank}D", shape, "strides", kernel_size=3, strides=2),
        one(f"DepthwiseConv{rank}D", shape, "dilation", kernel_size=2, dilation_rate=2),
        one(f"SeparableConv{rank}D", shape, filters=4, kernel_size=3, padding="same"),
        one(
            f"SeparableConv{rank}D",
            shape,
            "strides",
            filters=4,
            kernel_size=3,
            strides=2,
            depth_multiplier=2,
        ),
    )


def _resizing() -> tuple[Case, ...]:
    return (
        *(
            one(
                "Resizing",
                IMAGE,
                f"{kind} {word}",
                draw=pixels,
                height=height,
                width=width,
                interpolation=kind,
            )
            for kind in _INTERPOLATIONS
            for word, height, width in (("up", 13, 17), ("down", 5, 3))
        ),
        one("Resizing", IMAGE, "antialias", draw=pixels, height=5, width=4, antialias=True),
        one("Resizing", IMAGE, "crop", draw=pixels, height=6, width=4, crop_to_aspect_ratio=True),
        one("Resizing", IMAGE, "pad", draw=pixels, height=6, width=4, pad_to_aspect_ratio=True),
        one("Resizing", IMAGE, "uint8 input", draw=below(256), dtype="uint8", height=5, width=6),
        one("Resizing", FREE_IMAGE, "free size", draw=pixels, height=5, width=6),
    )


def _pipeline(x: Any) -> Any:
    steps = [layers.Resizing(8, 8), layers.RandomFlip(), layers.Rescaling(1 / 255)]
    return layers.Pipeline(steps)(x)


def _classifier(x: Any) -> Any:
    x = layers.CenterCrop(8, 8)(layers.Rescaling(1 / 255)(x))
    x = layers.BatchNormalization()(layers.Conv2D(6, 3, strides=2)(x))
    x = layers.DepthwiseConv2D(3, padding="same")(layers.ReLU(6.0)(x))
    return layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x))


IMAGES = (
    *(case for rank in (1, 2, 3) for case in _convolutions(rank)),
    one("Conv1D", SEQUENCE, "causal", filters=4, kernel_size=3, padding="causal", dilation_rate=2),
    one("Conv1D", FREE, "free length", filters=4, kernel_size=3, padding="same"),
    one("Conv2D", FREE_IMAGE, "free size", filters=4, kernel_size=3, strides=2),
    one("Conv2DTranspose", FREE_IMAGE, "free size", filters=4, kernel_size=3, strides=2),
    one("DepthwiseConv2D", FREE_IMAGE, "free size", kernel_size=3, padding="same"),
    one("MaxPooling2D", FREE_IMAGE, "free size", pool_size=3, strides=2, padding="same"),
    one("GlobalAveragePooling2D", FREE_IMAGE, "free size"),
    one(
        "AdaptiveAveragePooling2D",
        FREE_IMAGE,
        "free size",
        output_size=3,
        refused=dict.fromkeys(("savedmodel", "tflite", "onnx"), "free sizes"),
    ),
    one("MaxPooling3D", (None, None, None, 2), "free size", refused={"tflite": "free volumes"}),
    *(case for rank in (1, 2) for case in _depthwise(rank)),
    *(case for rank in (1, 2, 3) for case in _pooling(rank)),
    one("GlobalAveragePooling1D", FREE, "free length"),
    one("GlobalMaxPooling1D", FREE, "free length"),
    stacked(
        "GlobalAveragePooling1D",
        "masked",
        SEQUENCE,
        lambda x: layers.GlobalAveragePooling1D()(layers.Masking()(x)),
    ),
    *_resizing(),
    one("CenterCrop", IMAGE, draw=pixels, height=5, width=4),
    one("CenterCrop", IMAGE, "beyond the image", draw=pixels, height=12, width=6),
    one("RandomCrop", IMAGE, draw=pixels, height=5, width=4),
    one("AutoContrast", IMAGE, draw=pixels),
    one("Solarization", IMAGE, draw=pixels, threshold_factor=0.5, addition_factor=0.1),
    one(
        "ContrastLimitedAdaptiveHistogramEqualization",
        (16, 16, 3),
        draw=pixels,
        tile_grid_size=(2, 2),
    ),
    stacked("Pipeline", "", IMAGE, _pipeline, draw=pixels),
    stacked("Conv2D", "in a classifier", IMAGE, _classifier, draw=below(256), dtype="uint8"),
    *(one(name, IMAGE, draw=pixels, **options) for name, options in _AUGMENTING.items()),
)
