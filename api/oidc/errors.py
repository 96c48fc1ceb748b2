"""Why signing in by a provider did not go."""

from esl.domain.errors import EslError


class ProviderError(EslError):
    """The provider said or did what cannot be accepted; for the log and the doctor."""


class ProviderUnreachable(ProviderError):
    """It does not answer, or not in time: another try may go."""
