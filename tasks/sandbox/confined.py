"""Run the programs of one run under the rules that the kernel enforces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.results import TaskRefused, TaskResult
from tasks.sandbox.cancellation import Cancellation
from tasks.sandbox.confined_run import ConfinedRun
from tasks.sandbox.hints import denied_hint
from tasks.sandbox.launcher import Launcher
from tasks.sandbox.output import read_ends
from tasks.sandbox.plain import PlainSandbox
from tasks.sandbox.policy import Policy, Rules, supervision
from tasks.sandbox.request import SandboxRequest
from tasks.sandbox.shared_memory import SharedMemory
from tasks.sandbox.spec import RunSpec

GIT_TRUSTS_ALL = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
"""Git refuses to work in folders of another user; a run often has another than the workspace."""

NAMES_OVER_TCP = {"RES_OPTIONS": "use-vc"}
"""Names are looked up over UDP otherwise."""

TAR_KEEPS_USER = {"TAR_OPTIONS": "--no-same-owner"}
"""As user 0 tar would try to give files away, and fail for want of the right to."""


class ConfinedSandbox(PlainSandbox):
    """The place of one run, as PlainSandbox, and closed by the kernel."""

    def __init__(
        self,
        spec: RunSpec,
        cancellation: Cancellation,
        *,
        policy: Policy,
        rules: Rules,
        launcher: Launcher,
        shared_memory: SharedMemory,
        told: Mapping[str, Any],
        own_user: int,
        refusal: str | None = None,
    ) -> None:
        super().__init__(spec, cancellation, owner=rules.user, told=told, refusal=refusal)
        self._policy = policy
        self._rules = rules
        self._launcher = launcher
        self._own_user = own_user
        self._shared_memory = shared_memory
        shared_memory.enter()

    def close(self) -> None:
        """Remove the private directory, and what runs left in memory."""
        self._shared_memory.leave()
        super().close()

    def start(self, programs: Sequence[Sequence[str]], directory: Path, env: dict[str, str]) -> TaskResult:
        """Run the first program that can be started, under the policy that the server and the task's request leave."""
        spec = self.spec
        try:
            policy = self._policy.narrowed(spec.request or SandboxRequest(), spec.allowed)
            env = {**self._extra_env(policy), **env}
            values = self._rules.confinement(policy, self.private_path)
            values |= supervision(policy, programs, directory, env, spec.timeout_seconds, spec.grace_seconds)
        except TaskRefused as refused:  # moved outside since the task was created
            return TaskResult.not_started(str(refused))
        except UnicodeEncodeError as error:
            return TaskResult.not_started(f"{programs[-1][0]!r} cannot be started: {error}")
        told = {**self._told, "net": policy.network}
        result = ConfinedRun(spec, self.cancellation, self._launcher).carry_out(values, told)
        return self._with_hint(result, policy, directory)

    def _extra_env(self, policy: Policy) -> dict[str, str]:
        extra = NAMES_OVER_TCP if policy.network == "tcp" else {}
        if self._rules.user is not None and self._rules.user[0] != self._own_user:
            extra = extra | GIT_TRUSTS_ALL
        return extra | TAR_KEEPS_USER if self._rules.user is None and self._own_user == 0 else extra

    def _with_hint(self, result: TaskResult, policy: Policy, directory: Path) -> TaskResult:
        if result.status != "failed" or (result.exit_code is None and result.signal is None):
            return result
        printed = read_ends(self.spec.log_dir, self.spec.run_id, "stderr")
        printed += read_ends(self.spec.log_dir, self.spec.run_id, "stdout")
        hint = denied_hint(printed, policy, self._rules.network, self._rules.system, directory, Path(self.private_path))
        if hint is None:
            return result
        return replace(result, hint=f"{result.hint} {hint}" if result.hint else hint)
