from codealong.publish import course

NOTEBOOKS = [path.stem for path in course.notebooks()]
