"""How time is measured: timing, contestants in processes of their own, benchmark, sweep, study, roofline, oneDNN."""
