"""A project as files for what runs it elsewhere: init systems, supervisors, containers.

``deployment`` says what there is to run, ``local`` and ``containers`` which files each format has,
the templates how they look, ``writing`` puts them into a folder.
"""
