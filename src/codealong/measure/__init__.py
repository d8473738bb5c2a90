"""How time is measured: contestants in processes of their own, benchmark, sweep, study, roofline, oneDNN."""
