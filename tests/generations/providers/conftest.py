"""Each adapter at its provider's face, to be asked what it owes."""

import pytest

from generations.providers import ADAPTERS
from generations.providers.base import Account
from tests.generations.providers.contracts import CONTRACTS, KEY, Asked
from tests.generations.simulator import RunningSimulator


@pytest.fixture(params=sorted(CONTRACTS))
def asked(request: pytest.FixtureRequest, simulator: RunningSimulator) -> Asked:
    """Each adapter, in turn."""
    face, contract = simulator.face(request.param), CONTRACTS[request.param]
    simulator.do("accounts", provider=face.name, api_key=KEY)
    account = Account(base_url=face.url, credentials={"api_key": KEY} | contract.hosts(face.url))
    return Asked(adapter=ADAPTERS[face.name], face=face, account=account, contract=contract)
