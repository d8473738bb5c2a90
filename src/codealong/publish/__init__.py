"""What is made of the notebooks: executed pages, editions, slides, site, and the pictures and numbers of the README."""
