"""How time is measured: timing, contestants in processes of their own, campaigns, benchmark, study, roofline."""
