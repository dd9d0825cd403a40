"""The state machine: who may speak. Pure.

``events`` lists what can happen to a conversation; ``transitions`` says what each event makes of
it, ``timer_transitions`` what each timer of the ``timetable`` does. All of them answer with a
``transition``, which ``handoff.desk`` carries out.
"""
