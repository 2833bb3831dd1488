"""A problem in words: for warnings, annotations and terminals, and for nobody who decides."""

from lossless.injection.problem import OF_CONTAINERS, Problem, ProblemKind


def finding_text(problem: Problem) -> str:
    """Return what is wrong and with what, without the remedy."""
    subject = problem.subject
    if problem.kind in OF_CONTAINERS:
        subject = f"container {subject}"
    return f"{subject}: {problem.reason}" if subject else problem.reason


def warning_text(problem: Problem) -> str:
    """Return the line that an admission warning or a terminal shows."""
    prefix = "not injected: " if problem.kind is ProblemKind.NOT_INJECTED else ""
    return prefix + _with_remedy(finding_text(problem), problem)


def unprotected_text(problem: Problem) -> str:
    """Return the part of ``names.UNPROTECTED_ANNOTATION`` that is about one container."""
    return _with_remedy(f"{problem.subject}: {problem.reason}", problem)


def _with_remedy(text: str, problem: Problem) -> str:
    return f"{text}; {problem.remedy}" if problem.remedy else text
