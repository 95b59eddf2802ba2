"""Estimators that do not convert, each with why; the page and the tests take it from here."""

from __future__ import annotations

from importlib.util import find_spec

_NOTHING_NEW = "says nothing about new rows: it has neither predict nor transform for them"
_COVARIANCE = "estimates a covariance matrix, and says nothing about single rows"
_ITERATES = "solves a problem for each row by iteration, which no fixed graph does exactly"
_TEXT = "takes text or records apart, by operators that board runtimes do not have"
_LABELS = "works on labels, not on rows"

NOT_CONVERTED: dict[str, str] = {
    **dict.fromkeys(
        ("AgglomerativeClustering", "ClassicalMDS", "DBSCAN", "HDBSCAN", "MDS", "OPTICS",
         "SpectralBiclustering", "SpectralClustering", "SpectralCoclustering",
         "SpectralEmbedding", "TSNE"),
        _NOTHING_NEW,
    ),
    **dict.fromkeys(
        ("EmpiricalCovariance", "GraphicalLasso", "GraphicalLassoCV", "LedoitWolf", "MinCovDet",
         "OAS", "ShrunkCovariance"),
        _COVARIANCE,
    ),
    **dict.fromkeys(
        ("DictionaryLearning", "LatentDirichletAllocation", "LocallyLinearEmbedding",
         "MiniBatchDictionaryLearning", "MiniBatchNMF", "NMF", "SparseCoder"),
        _ITERATES,
    ),
    **dict.fromkeys(
        ("CountVectorizer", "DictVectorizer", "FeatureHasher", "HashingVectorizer",
         "TfidfVectorizer"),
        _TEXT,
    ),
    **dict.fromkeys(("LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer"), _LABELS),
    "NearestNeighbors": "neither predicts nor transforms; KNeighborsTransformer does",
    "PatchExtractor": "makes several rows of one",
}  # fmt: skip

# Cases that are refused, with a part of what is said.
REFUSED: dict[str, str] = {
    "DummyClassifier, stratified": "draws at random",
    "DummyClassifier, uniform": "draws at random",
    "FeatureAgglomeration, median": "its pooling_func is 'median'",
    "RadiusNeighborsClassifier, no outlier label": "no ONNX file refuses a row",
    "VotingClassifier, soft, fitted before on some classes": "knows 4 classes and it itself 10",
    "StackingClassifier, of words": "passes on its label, and 'setosa' is no number",
    "MLPClassifier, a single class": "it knows a single class",
    "OneVsOneClassifier, three, LinearRegression": "its estimator is a regressor",
    "GaussianProcessClassifier, three, one against one": "one_vs_one multi-class mode does not",
    "GaussianProcessClassifier, Matern of nu 1": "its kernel is a Matern of nu 1",
    "GaussianProcessClassifier, a kernel of metrics": "its kernel holds a PairwiseKernel",
    "KernelDensity, cosine, bandwidth 3.0, three": "its kernel is 'cosine', whose scores are all",
    "KernelDensity, metric canberra, three": "its metric is 'canberra'",
    "KernelRidge, Python code": "its kernel is Python code",
    "IsotonicRegression, raise, up": "no ONNX file refuses a row",
    "IsotonicRegression, raise, down": "no ONNX file refuses a row",
}
if find_spec("lightgbm"):
    REFUSED |= {
        "LGBMRegressor, linear leaves": "its leaves are linear models",
    }
if find_spec("xgboost"):
    REFUSED |= {
        "XGBClassifier, linear": "its booster is 'gblinear'",
        "XGBRegressor, leaves of several outputs": "its leaves hold several outputs",
    }
