import pytest

pytest.register_assert_rewrite("tests.converters.lowering.cases")
