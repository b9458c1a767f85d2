"""Tests of offline work: drawings, their truth, the sample models and how they are trained."""
