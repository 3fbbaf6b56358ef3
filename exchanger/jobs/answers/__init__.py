"""
Answers to whoever drops files: what became of them, beside their folder, without a terminal.

``terms`` says what a run is to answer, ``not_taken`` reads what it did not take and why, ``facts``
puts together what there is to say of a file, and ``write`` writes it once the run has ended.
"""
