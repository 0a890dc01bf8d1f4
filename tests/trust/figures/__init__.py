"""The trust figures (trust.md section 7): each module has `figures(every)`, run and printed by `make trust`.

`figures(every)` takes each N-th case, prints its lines as it goes and returns one dict a figure:

    figure   its name, beginning with its number ("T6 faults on the line")
    runs     how many cases were tried
    wrong    how many of them went wrong
    goal     what had to be reached, a number of runs or words
    met      whether it was

Whatever else it measured goes beside these. The runner's closing sections gather these keys:

    slowest        {input: seconds}    the ten slowest of all figures are listed
    mail_again     {fault: seconds}    from the fault's end until mail flows again
    p95_ms         {attack: [quiet, attacked]}    milliseconds, the pages of those who are not attacked
    memory_mb      {process or case: [MB, …]}    one number, or the curve as it was measured
"""
